import type { Session } from "./session.ts";

/**
 * What the server would say to a role that wants into a database, asked from inside: PostgreSQL itself tells a stranger
 * less.
 */
export interface Admission {
  role: { login: boolean; expired: boolean; limit: number; taken: number } | undefined;
  database: { open: boolean } | undefined;
  /** The role may connect to the database; false where either is missing. */
  mayConnect: boolean;
  /** For everyone but superusers. */
  connections: { max: number; taken: number };
}

export async function admission(session: Session, user: string, database: string): Promise<Admission> {
  const [row] = await session.query<{
    role: Admission["role"] | null;
    database: Admission["database"] | null;
    may: boolean | null;
    max: number;
    taken: number;
  }>(
    `SELECT (SELECT json_build_object('login', rolcanlogin, 'expired', coalesce(rolvaliduntil < now(), false),
                                      'limit', CASE WHEN rolsuper THEN -1 ELSE rolconnlimit END,
                                      'taken', (SELECT count(*) FROM pg_stat_activity WHERE usename = $1))
               FROM pg_roles WHERE rolname = $1) AS role,
            (SELECT json_build_object('open', datallowconn) FROM pg_database WHERE datname = $2) AS database,
            (SELECT has_database_privilege(r.oid, d.oid, 'CONNECT') FROM pg_roles r, pg_database d WHERE rolname = $1 AND datname = $2) AS may,
            current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
              - coalesce(current_setting('reserved_connections', true)::int, 0) AS max,
            (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS taken`,
    [user, database],
  );
  return {
    role: row?.role ?? undefined,
    database: row?.database ?? undefined,
    mayConnect: row?.may ?? false,
    connections: { max: row?.max ?? 0, taken: row?.taken ?? 0 },
  };
}
