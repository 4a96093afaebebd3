import { quoteIdentifier } from "./quote.ts";
import { retrying } from "./retry.ts";
import type { Session } from "./session.ts";

/** How many connections a server has, and how many of them are for all but superusers. */
export interface Room {
  max: number;
  free: number;
}

/**
 * What a role may have unless told: a third of `max_connections`, so that one app leaves room for others, and a
 * rotation, during which two logins of a role work side by side, does, too. An app behind the pooler gets at least what
 * its two poolers on the leader may open. Pure.
 */
export function defaultLimit({ max, free }: Room, poolSize = 0): number {
  const third = Math.min(Math.floor(max / 3), Math.ceil(free / 2) - 1);
  return Math.max(1, third, Math.min(2 * poolSize, free));
}

export async function roomFor(session: Session): Promise<Room> {
  const [row] = await session.query<Room>(
    `SELECT pg_catalog.current_setting('max_connections')::int4 AS max,
            pg_catalog.current_setting('max_connections')::int4 - pg_catalog.current_setting('superuser_reserved_connections')::int4
            - coalesce(pg_catalog.current_setting('reserved_connections', true)::int4, 0) AS free`,
  );
  return { max: row?.max ?? 1, free: Math.max(1, row?.free ?? 1) };
}

export const limitConnections = (session: Session, role: string, limit: number): Promise<unknown> =>
  retrying(() => session.query(`ALTER ROLE ${quoteIdentifier(role)} CONNECTION LIMIT ${limit}`));

/** What is so with roles: their limits, and how many connections each login has at most. */
export const limitsOf = (
  session: Session,
  roles: readonly string[],
): Promise<{ role: string; limit: number; superuser: boolean; taken: number }[]> =>
  session.query(
    `SELECT r.rolname::text AS role, r.rolconnlimit AS limit, r.rolsuper AS superuser,
            (SELECT count(*)::int4 FROM pg_catalog.pg_stat_activity AS a WHERE a.usesysid = r.oid) AS taken
       FROM pg_catalog.pg_roles AS r WHERE r.rolname = ANY ($1)`,
    [[...roles]],
  );
