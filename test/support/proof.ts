/**
 * What the database itself has to say about what the clients of `writer.ts` were told: asked of its servers, past all
 * that is tested.
 */
import pg from "pg";
import type { Member } from "../../src/api/schemas.ts";
import { rowOf, type Told } from "./ledger.ts";
import { eventually, type World } from "./world.ts";

/** Every row says which server took it, on which timeline, and where in the WAL. */
export const ledgerTable = `CREATE TABLE ledger (
  client int, n int,
  server text NOT NULL DEFAULT coalesce(host(inet_server_addr()), current_setting('cluster_name')),
  timeline int NOT NULL DEFAULT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int,
  position pg_lsn NOT NULL DEFAULT pg_current_wal_insert_lsn(),
  PRIMARY KEY (client, n))`;

/** Asked of whoever leads, until it answers: who that is may change once more between two questions. */
export async function askLeader<Row extends object>(world: World, text: string, database: string): Promise<Row[]> {
  const asked = async () =>
    world.sql<Row>((await world.leader()).id, text, database).catch((error: unknown) => {
      // Class 57 is an operator's doing: the server is on its way down or up.
      if (error instanceof pg.DatabaseError && error.code?.startsWith("57") !== true) throw error;
      return undefined;
    });
  return (await eventually("the leader answers", asked, 30_000)).answer;
}

/** Rows that were acknowledged and that the leader does not have. */
export async function missing(world: World, database: string, acknowledged: readonly Told[]): Promise<string[]> {
  const least = acknowledged.reduce((low, { n }) => Math.min(low, n), Number.MAX_SAFE_INTEGER);
  const rows = await askLeader<{ row: string }>(
    world,
    `SELECT client || ' ' || n AS row FROM ledger WHERE n >= ${least}`,
    database,
  );
  const there = new Set(rows.map(({ row }) => row));
  return acknowledged.map(rowOf).filter((row) => !there.has(row));
}

/** How many rows are there more than once; the column that no index has makes it read the table itself. */
export async function doubled(world: World, database: string): Promise<number> {
  const [row] = await askLeader<{ more: number }>(
    world,
    "SELECT (count(server) - count(DISTINCT (client, n)))::int AS more FROM ledger",
    database,
  );
  return row?.more ?? -1;
}

/** Timelines on which more than one server took rows, or that have WAL where a later one already wrote. */
export async function secondWritersInData(world: World, database: string): Promise<object[]> {
  return askLeader(
    world,
    `SELECT * FROM (
       SELECT timeline, count(DISTINCT server)::int AS servers, coalesce(max(position) > lead(min(position)) OVER (ORDER BY timeline), false) AS mixed
         FROM ledger GROUP BY timeline) AS timelines
      WHERE servers > 1 OR mixed ORDER BY timeline`,
    database,
  );
}

/** The digest of the table on every member, once all have replayed what the leader had. */
export async function digests(world: World, database: string, members: readonly Member[]): Promise<string[]> {
  const [here] = await askLeader<{ position: string }>(
    world,
    "SELECT pg_current_wal_lsn()::text AS position",
    "postgres",
  );
  const position = here?.position ?? "";
  const replayed = `SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= '${position}' AS has`;
  for (const { id } of members)
    await eventually(
      `${id} has replayed ${position}`,
      async () => (await world.sql<{ has: boolean }>(id, replayed))[0]?.has,
    );
  const digest =
    "SELECT md5(string_agg(client || ':' || n || ':' || server || ':' || timeline, ',' ORDER BY client, n)) AS digest FROM ledger";
  return Promise.all(
    members.map(async ({ id }) => (await world.sql<{ digest: string }>(id, digest, database))[0]?.digest ?? ""),
  );
}
