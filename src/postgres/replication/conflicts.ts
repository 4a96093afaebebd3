import type { Session } from "../sql/session.ts";

/**
 * What keeps a replica from replaying: sessions that read what a record would take away, and a pause that somebody
 * asked for.
 */

/**
 * Of the process that replays: what it waits for, by its own word. A lock names those who hold it; of a snapshot or a
 * page it does not say whose, so that it is any session that has one.
 */
const inTheWay = `
  SELECT session.pid
    FROM pg_catalog.pg_stat_activity AS replay
    JOIN pg_catalog.pg_stat_activity AS session ON session.backend_type = 'client backend' AND session.pid <> pg_catalog.pg_backend_pid()
   WHERE replay.backend_type = 'startup'
     AND CASE WHEN replay.wait_event_type = 'Lock'
              THEN EXISTS (SELECT FROM pg_catalog.pg_locks AS wanted
                             JOIN pg_catalog.pg_locks AS held USING (locktype, database, relation)
                            WHERE wanted.pid = replay.pid AND NOT wanted.granted AND held.pid = session.pid AND held.granted)
              WHEN replay.wait_event_type = 'BufferPin' OR replay.wait_event LIKE 'RecoveryConflict%'
              THEN session.backend_xmin IS NOT NULL OR session.state = 'active'
              ELSE false END`;

/** Ends the sessions that are in the way of the replay just now. Gives how many. */
export async function endConflicts(session: Session): Promise<number> {
  const rows = await session.query<{ ended: boolean }>(
    `SELECT pg_catalog.pg_terminate_backend(pid) AS ended FROM (${inTheWay}) AS conflict`,
  );
  return rows.filter(({ ended }) => ended).length;
}

/** Takes back a pause that somebody asked for. Gives whether there was one. */
export async function resumeReplay(session: Session): Promise<boolean> {
  const [row] = await session.query<{ paused: boolean }>(
    "SELECT pg_catalog.pg_is_in_recovery() AND pg_catalog.pg_get_wal_replay_pause_state() <> 'not paused' AS paused",
  );
  if (row?.paused !== true) return false;
  await session.query("SELECT pg_catalog.pg_wal_replay_resume()");
  return true;
}
