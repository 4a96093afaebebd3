import { Client } from "pg";

// In the primary region the leader, elsewhere the nearest member: the same URL with port 5433
const url = new URL(process.env.DATABASE_URL);
const { PRIMARY_REGION: primary, FLY_REGION: current } = process.env;
if (primary && current && primary !== current) url.port = "5433";

const client = new Client({ connectionString: url.toString() });
await client.connect();
const { rows } = await client.query("SELECT pg_is_in_recovery()::text AS replica, host(inet_server_addr()) AS address");
console.log(JSON.stringify(rows[0]));
await client.end();
