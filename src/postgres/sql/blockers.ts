import type { Session } from "./session.ts";

/** How long a change that needs a lock waits for it: then whoever holds it is named. */
export const lockTimeoutMs = 3_000;

/** Who keeps something from being changed, and what ends that. */
export interface Blocker {
  by: string;
  how: string;
}

const sessionText = `pg_catalog.format('the session %s of role %s%s, %s since %s s', a.pid, a.usename,
    CASE WHEN a.application_name = '' THEN '' ELSE ' (' || a.application_name || ')' END, a.state,
    pg_catalog.floor(pg_catalog.extract('epoch', pg_catalog.now() - coalesce(a.xact_start, a.state_change)))::pg_catalog.int8)`;

/**
 * Who holds a lock on one of these, itself or an index of it: a session that is not one of these roles, or a
 * transaction that was prepared.
 */
export const blockersOf = (
  session: Session,
  what: readonly { oid: string }[],
  roles: readonly string[] = [],
): Promise<Blocker[]> =>
  session.query<Blocker>(
    `WITH held AS (
       SELECT DISTINCT l.pid, l.virtualtransaction AS transaction FROM pg_catalog.pg_locks AS l
        WHERE l.granted AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
          AND l.database IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()))
          AND (l.relation::pg_catalog.text = ANY ($1) OR l.objid::pg_catalog.text = ANY ($1)
               OR l.relation IN (SELECT i.indexrelid FROM pg_catalog.pg_index AS i WHERE i.indrelid::pg_catalog.text = ANY ($1))))
     SELECT ${sessionText} AS by, pg_catalog.format('SELECT pg_terminate_backend(%s)', a.pid) AS how
       FROM held JOIN pg_catalog.pg_stat_activity AS a USING (pid) WHERE a.usename <> ALL ($2)
     UNION ALL
     SELECT pg_catalog.format('the prepared transaction %s of role %s', p.gid, p.owner), pg_catalog.format('ROLLBACK PREPARED %L', p.gid)
       FROM held JOIN pg_catalog.pg_prepared_xacts AS p ON held.transaction = '-1/' || p.transaction::pg_catalog.text WHERE held.pid IS NULL
     LIMIT 5`,
    [what.map(({ oid }) => oid), [...roles]],
  );

/** What DROP DATABASE refuses, even with FORCE. The session is in another database. */
export const blockersOfDrop = (session: Session, database: string): Promise<Blocker[]> =>
  session.query<Blocker>(
    `SELECT pg_catalog.format('the prepared transaction %s of role %s', gid, owner) AS by, pg_catalog.format('ROLLBACK PREPARED %L', gid) AS how
       FROM pg_catalog.pg_prepared_xacts WHERE database = $1
     UNION ALL
     SELECT pg_catalog.format('the active replication slot %s (session %s)', slot_name, active_pid),
            pg_catalog.format('SELECT pg_terminate_backend(%s), pg_drop_replication_slot(%L)', active_pid, slot_name)
       FROM pg_catalog.pg_replication_slots WHERE database = $1 AND active
     UNION ALL
     SELECT pg_catalog.format('the subscription %s', s.subname), pg_catalog.format('DROP SUBSCRIPTION %I', s.subname)
       FROM pg_catalog.pg_subscription AS s JOIN pg_catalog.pg_database AS d ON d.oid = s.subdbid WHERE d.datname = $1
     LIMIT 5`,
    [database],
  );

/** A role that a prepared transaction works as, or that has made one, cannot go. */
export const blockersOfRole = (session: Session, role: string): Promise<Blocker[]> =>
  session.query<Blocker>(
    `SELECT pg_catalog.format('the prepared transaction %s in database %s', gid, database) AS by, pg_catalog.format('ROLLBACK PREPARED %L', gid) AS how
       FROM pg_catalog.pg_prepared_xacts WHERE owner = $1 LIMIT 5`,
    [role],
  );

export function sentenceOf(found: readonly Blocker[]): { by: string; how: string } {
  if (found.length === 0)
    return { by: "a lock of somebody who has ended meanwhile", how: "nothing needs to be ended any more" };
  return { by: found.map(({ by }) => by).join(", and by "), how: found.map(({ how }) => how).join("; ") };
}
