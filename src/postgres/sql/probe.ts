import { fail } from "../../errors/error.ts";
import { standbySettings } from "../instance/control-file.ts";
import { here, type Standing, standingColumns, type StandingRow, toStanding } from "../replication/replication.ts";
import type { Session } from "./session.ts";

/**
 * All that the loop wants to know of a server at each look, in one statement: where it stands, who follows it, and what
 * of it runs out.
 */
export interface Survey extends Standing {
  /** Machine id → bytes of WAL it has not replayed, for every replica that is connected. */
  lags: ReadonlyMap<string, number | null>;
  usage: Usage;
  replay: Replay;
  /** Of the server that runs, "15.18": its files may be another's by now. */
  version: string;
}

/** How a replica does with the WAL that it has. */
export interface Replay {
  /** pg_wal_replay_pause(), or a setting in which it has less than its leader. */
  paused: boolean;
  /** What it has of the settings in which a standby may not have less. */
  settings: Record<string, number>;
}

export interface Slot {
  name: string;
  /** Perch makes physical ones. */
  physical: boolean;
  active: boolean;
  /** WAL it keeps, in bytes; null before it is first used. */
  keptBytes: number | null;
  /** "lost": it fell too far behind, and its replica must be copied anew. */
  state: "reserved" | "extended" | "unreserved" | "lost" | null;
  /**
   * Made to outlive its leader, on a replica that has it from when it led: PostgreSQL would not keep the present
   * leader's there.
   */
  former?: boolean;
}

/** What a server has of what runs out, and how much of it is used. */
export interface Usage {
  /** For everyone but superusers; and the role that has most of them. */
  connections: { max: number; used: number; most: { user: string; used: number } | null };
  /**
   * Anybody's, in the order of their names; how many there may be; how much WAL one may keep, or null for any amount.
   */
  slots: { each: Slot[]; max: number; keepBytes: number | null };
  memory: { sharedBytes: number; perConnectionBytes: number };
  /** The database that has waited longest for VACUUM FREEZE, in transactions. */
  oldest: { database: string; age: number };
}

const bytesOf = (setting: string): string => `pg_size_bytes(current_setting('${setting}'))`;

/** Asked every few seconds of every server, so PostgreSQL plans it once a connection. */
const statement = {
  name: "perch_survey",
  text: `WITH client AS MATERIALIZED (SELECT usename, count(*) AS used FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1),
     slot AS (SELECT slot_name AS name, slot_type = 'physical' AS physical, active, wal_status AS state, pg_wal_lsn_diff(${here}, restart_lsn) AS "keptBytes",
                     pg_is_in_recovery() AND NOT active AND coalesce((to_jsonb(one) ->> 'failover')::bool AND NOT (to_jsonb(one) ->> 'synced')::bool, false) AS former
                FROM pg_replication_slots AS one ORDER BY 1),
     oldest AS (SELECT datname, greatest(age(datfrozenxid), mxid_age(datminmxid)) AS age FROM pg_database ORDER BY 2 DESC LIMIT 1)
SELECT ${standingColumns},
       (SELECT coalesce(json_agg(json_build_array(application_name, greatest(0, pg_wal_lsn_diff(${here}, replay_lsn)))), '[]')
          FROM pg_stat_replication WHERE state IN ('streaming', 'catchup')) AS lags,
       split_part(current_setting('server_version'), ' ', 1) AS version,
       json_build_object(
         'paused', CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() <> 'not paused' ELSE false END,
         'settings', json_build_object(${standbySettings.map((name) => `'${name}', current_setting('${name}')::int`).join(", ")})) AS replay,
       json_build_object(
         'connections', json_build_object(
           'max', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                    - coalesce(current_setting('reserved_connections', true)::int, 0),
           'used', (SELECT coalesce(sum(used), 0) FROM client),
           'most', (SELECT json_build_object('user', usename, 'used', used) FROM client ORDER BY used DESC, usename LIMIT 1)),
         'slots', json_build_object(
           'each', (SELECT coalesce(json_agg(slot), '[]') FROM slot),
           'max', current_setting('max_replication_slots')::int,
           'keepBytes', nullif(${bytesOf("max_slot_wal_keep_size")}, -1)),
         'memory', json_build_object('sharedBytes', ${bytesOf("shared_buffers")}, 'perConnectionBytes', ${bytesOf("work_mem")}),
         'oldest', (SELECT json_build_object('database', datname, 'age', age) FROM oldest)) AS usage`,
};

export async function survey(session: Session): Promise<Survey> {
  type Row = StandingRow & { lags: [string, number | null][]; usage: Usage; replay: Replay; version: string };
  const [row] = await session.queryAgain<Row>(statement.name, statement.text);
  if (row === undefined) throw fail("internal", { why: "the survey of a server gave no row" });
  return { ...toStanding(row), lags: new Map(row.lags), usage: row.usage, replay: row.replay, version: row.version };
}
