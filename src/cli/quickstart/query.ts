import pg from "pg";

/**
 * The small app of the quickstart. It knows DATABASE_URL and the region variables, as any app does: off its primary
 * region it reads from the nearest replica, by the same URL on port 5433. (In portable mode there are no names and no
 * second port: it reads from the leader.)
 */
async function ask(): Promise<void> {
  const { DATABASE_URL = "", FLY_REGION = "", PRIMARY_REGION = "" } = process.env;

  const url = new URL(DATABASE_URL);
  if (url.hostname.endsWith(".internal") && PRIMARY_REGION !== "" && FLY_REGION !== PRIMARY_REGION) url.port = "5433";

  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 10_000 });
  await client.connect();
  const question =
    "select coalesce(host(inet_server_addr()), 'a unix socket') as address, pg_is_in_recovery() as replica, split_part(current_setting('server_version'), ' ', 1) as version";
  await client.query(question);
  const begun = performance.now();
  const { rows } = await client.query<{ address: string; replica: boolean; version: string }>(question);
  const milliseconds = performance.now() - begun;
  await client.end();

  const [row] = rows;
  if (row === undefined) throw new Error("the server answered with no row");
  process.stdout.write(
    `  in ${FLY_REGION}: ${url.host} is ${row.address}, a ${row.replica ? "replica" : "leader"} (PostgreSQL ${row.version}), ${milliseconds.toFixed(2)} ms a query\n`,
  );
}

void ask();
