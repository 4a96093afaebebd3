import { Client } from "pg";

const client = new Client({ connectionString: process.env.DATABASE_URL });

await client.connect();
const res = await client.query("SELECT $1::text as message", ["Hello world!"]);
console.log(res.rows[0].message); // Hello world!

// The app's role owns the app's database, so it makes its own tables.
await client.query("CREATE TABLE IF NOT EXISTS visits (at timestamptz NOT NULL DEFAULT now(), region text)");
await client.query("INSERT INTO visits (region) VALUES ($1)", [process.env.FLY_REGION ?? null]);
const { rows } = await client.query("SELECT count(*)::int AS visits, current_user AS role, current_database() AS database FROM visits");
console.log(`${rows[0].visits} visit(s), as ${rows[0].role} in ${rows[0].database}`);
await client.end();
