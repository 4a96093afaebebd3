import { ask } from "../../base/deadline.ts";
import { fail } from "../../errors/error.ts";
import { replicationUser } from "../instance/hba.ts";
import { type Session, sqlState } from "../sql/session.ts";

/** Slots, lag and promotion: the leader and its replicas as their own catalogs show them. */

/**
 * Where a replica gets its WAL, as libpq takes it. Paths as PostgreSQL sees them. The certificate must name the host.
 */
export function connectionText(to: {
  host: string;
  /** The name its certificate is asked for, where that is not the host's own address. */
  name?: string;
  port: number;
  id: string;
  passFile: string;
  authorityFile: string;
  /** Where it asks for the leader's slots. */
  database?: string;
}): string {
  return parametersText({
    ...(to.name === undefined ? { host: to.host } : { host: to.name, hostaddr: to.host }),
    port: String(to.port),
    user: replicationUser,
    ...(to.database === undefined ? {} : { dbname: to.database }),
    passfile: to.passFile,
    application_name: to.id,
    sslmode: "verify-full",
    sslrootcert: to.authorityFile,
    connect_timeout: "5",
    keepalives_idle: "10",
    keepalives_interval: "5",
    keepalives_count: "3",
  });
}

/** Connection parameters as libpq reads them back, whatever is in them. */
export function parametersText(parameters: Readonly<Record<string, string>>): string {
  const quote = (value: string): string => `'${value.replace(/['\\]/g, "\\$&")}'`;
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${quote(value)}`)
    .join(" ");
}

export const slotOf = (machine: string): string => `perch_${machine.toLowerCase().replace(/[^a-z0-9_]/g, "_")}`;

/** Makes the slot unless it is there, and keeps WAL for it from now on. */
export async function createSlot(session: Session, name: string): Promise<void> {
  await session.query("SELECT pg_create_physical_replication_slot($1, true)", [name]).catch((error: unknown) => {
    if (sqlState(error) !== "42710") throw error;
  });
}

/** Ends whoever streams from it and drops it; one that is gone is no error. */
export async function dropSlot(session: Session, name: string): Promise<void> {
  const dropped = await ask(
    async () => {
      const rows = await session.query<{ pid: number | null }>(
        "SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1",
        [name],
      );
      const [slot] = rows;
      if (slot === undefined) return true;
      if (slot.pid !== null) await session.query("SELECT pg_terminate_backend($1, 2000)", [slot.pid]);
      try {
        await session.query("SELECT pg_drop_replication_slot($1)", [name]);
        return true;
      } catch (error) {
        if (sqlState(error) === "42704") return true;
        if (sqlState(error) === "55006") return undefined; // its replica was back at once
        throw error;
      }
    },
    { everyMs: 50, withinMs: 5_000 },
  );
  if (dropped !== true) throw fail("busy", { what: `replication slot ${name}`, by: "its replica" });
}

/** Drops slots of a server that follows another, and none where it leads by now. */
export async function dropIdleSlots(session: Session, names: readonly string[]): Promise<void> {
  await session.query(
    `SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots
      WHERE slot_name = ANY ($1) AND NOT active AND pg_catalog.pg_is_in_recovery()`,
    [[...names]],
  );
}

/** Up to where a server has its WAL: written where it leads, replayed where it follows. */
export const here = "CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END";

export interface Standing {
  recovering: boolean;
  /** Whether WAL comes in, over a connection that lives. */
  streaming: boolean;
  /**
   * Bytes of WAL since the beginning of time: written where it leads, received and replayed where it follows. The
   * greater, the more advanced.
   */
  received: bigint;
  replayed: bigint;
  timeline: number;
}

/**
 * Of a replica that does not stream: the latest timeline of which it has the WAL file with its last position. Its last
 * checkpoint may be from an earlier one, and would make it look as if it had gone on there. pg_rewind leaves the last
 * file of the timeline that it took back, whose history it removes; and a history that another server began may have
 * been heard of. So the timeline has a history here, and is one that the latest history here comes from, if any is.
 */
const timelineOnDisk = `(
  WITH wal AS MATERIALIZED (SELECT name, ('x' || substr(name, 1, 8))::bit(32)::int AS timeline FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{8}([0-9A-F]{16}|[.]history)$'),
       history AS (SELECT name, timeline FROM wal WHERE name LIKE '%.history'),
       latest AS (SELECT timeline, pg_read_file('pg_wal/' || name, 0, 1048576, true) AS text FROM history ORDER BY timeline DESC LIMIT 1)
  SELECT wal.timeline
    FROM (SELECT pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), ${here}), '0/0') - 1 AS at, pg_size_bytes(current_setting('wal_segment_size')) AS size) AS last,
         wal
   WHERE right(wal.name, 16) = upper(lpad(to_hex(div(last.at, 4294967296)::bigint), 8, '0') || lpad(to_hex(div(mod(last.at, 4294967296), last.size)::bigint), 8, '0'))
     AND (wal.timeline = 1 OR EXISTS (SELECT FROM history WHERE history.timeline = wal.timeline))
   ORDER BY EXISTS (SELECT FROM latest WHERE latest.timeline = wal.timeline OR latest.text ~ ('(^|\\n)\\s*' || wal.timeline || '\\s+[0-9A-F]+/')) DESC, wal.timeline DESC
   LIMIT 1)`;

/** What `standing` asks for, to be asked with more. */
export const standingColumns = `pg_is_in_recovery() AS recovering,
            EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') AS streaming,
            pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), ${here}), '0/0') AS received,
            pg_wal_lsn_diff(${here}, '0/0') AS replayed,
            CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), ${timelineOnDisk}, (SELECT timeline_id FROM pg_control_checkpoint()))
                 ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int END AS timeline`;

export type StandingRow = {
  recovering: boolean;
  streaming: boolean;
  received: string;
  replayed: string;
  timeline: number;
};

export const toStanding = ({ recovering, streaming, received, replayed, timeline }: StandingRow): Standing => ({
  recovering,
  streaming,
  received: BigInt(received),
  replayed: BigInt(replayed),
  timeline,
});

/** Any server's view of itself. */
export async function standing(session: Session): Promise<Standing> {
  const [row] = await session.query<StandingRow>(`SELECT ${standingColumns}`);
  if (row === undefined) throw fail("internal", { why: "a SELECT without FROM gave no row" });
  return toStanding(row);
}

/**
 * Makes a replica a leader. Resolves when it takes writes; rejects with `sql_failed` when it does not within the time.
 * `meanwhile` is called while it does not yet: it has to replay everything first.
 */
export async function promote(
  session: Session,
  withinMs = 30_000,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  // pg_promote itself would look every 100 ms only.
  await session.query("SELECT pg_promote(false)");
  const leads = async (): Promise<true | undefined> => {
    const [row] = await session.query<{ recovering: boolean }>("SELECT pg_is_in_recovery() AS recovering");
    if (row?.recovering === false) return true;
    await meanwhile();
    return undefined;
  };
  if ((await ask(leads, { everyMs: 5, withinMs })) === true) return;
  throw fail("sql_failed", { app: session.app, why: `it was not promoted within ${withinMs / 1000} s` });
}
