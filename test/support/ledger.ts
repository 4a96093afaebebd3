/** What a writing load was told, and what the database has: the proof of what a fault cost. Nothing here takes Perch's word for anything. */
import { existsSync, readFileSync } from "node:fs";
import type { Member } from "../../src/api/schemas.ts";
import { eventually, type World } from "./world.ts";

/** Every row says which server took it, on which timeline, and where in the WAL. */
export const ledgerTable = `CREATE TABLE ledger (
  client int, n int,
  server text NOT NULL DEFAULT inet_server_addr()::text,
  timeline int NOT NULL DEFAULT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int,
  position pg_lsn NOT NULL DEFAULT pg_current_wal_insert_lsn(),
  PRIMARY KEY (client, n))`;

export interface Acknowledged {
  /** Milliseconds since the epoch. */
  at: number;
  row: string;
}

/** The whole lines of the ledger so far. */
export const readLedger = (path: string): Acknowledged[] =>
  (existsSync(path) ? readFileSync(path, "utf8") : "")
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [at = "", client = "", n = ""] = line.split(" ");
      return { at: Number(at), row: `${client} ${n}` };
    });

/** The longest time without an acknowledged row, between two moments, in milliseconds. */
export function gap(ledger: readonly Acknowledged[], from: number, to: number): number {
  const moments = [from, ...ledger.map(({ at }) => at).filter((at) => at > from && at < to), to].toSorted((a, b) => a - b);
  return Math.max(...moments.slice(1).map((at, index) => at - (moments[index] ?? at)));
}

/** Acknowledged rows that the leader does not have. */
export async function missing(world: World, database: string, ledger: readonly Acknowledged[]): Promise<string[]> {
  const rows = await world.sql<{ row: string }>((await world.leader()).id, "SELECT client || ' ' || n AS row FROM ledger", database);
  const there = new Set(rows.map(({ row }) => row));
  return ledger.map(({ row }) => row).filter((row) => !there.has(row));
}

/** One server a timeline, and no timeline has WAL where a later one already wrote: nobody else ever took a write. */
export async function writersByTimeline(world: World, database: string): Promise<{ timeline: number; servers: number; overlaps: boolean }[]> {
  return world.sql(
    (await world.leader()).id,
    `SELECT timeline, count(DISTINCT server)::int AS servers,
            coalesce(max(position) > lead(min(position)) OVER (ORDER BY timeline), false) AS overlaps
       FROM ledger GROUP BY timeline ORDER BY timeline`,
    database,
  );
}

/** The digest of the table on every member, once all have replayed what the leader had. */
export async function digests(world: World, database: string, members: readonly Member[]): Promise<string[]> {
  const leader = members.find((member) => member.role === "leader");
  if (leader === undefined) throw new Error("there is no leader");
  const [here] = await world.sql<{ position: string }>(leader.id, "SELECT pg_current_wal_lsn()::text AS position");
  const position = here?.position ?? "";
  for (const { id } of members.filter((member) => member.role === "replica"))
    await eventually(
      `${id} has replayed ${position}`,
      async () => (await world.sql<{ has: boolean }>(id, `SELECT pg_last_wal_replay_lsn() >= '${position}' AS has`))[0]?.has,
    );
  const digest = "SELECT md5(string_agg(client || ':' || n || ':' || timeline, ',' ORDER BY client, n)) AS digest FROM ledger";
  return Promise.all(members.map(async ({ id }) => (await world.sql<{ digest: string }>(id, digest, database))[0]?.digest ?? ""));
}
