import { quoteIdentifier, quoteLiteral } from "../postgres/quote.ts";
import { scramVerifier } from "../postgres/scram.ts";
import { type Session, transaction } from "../postgres/sql.ts";
import { poolUser } from "../postgres/access.ts";

/**
 * What PgBouncer may ask PostgreSQL: the verifier of one role, by a function that only its own role may call. A verifier is no password: with it a
 * client's password can be checked, and the same client logged in, and nothing else. Up to PgBouncer 1.18 the question is asked in the client's own database, so
 * the function is in each of them. A schema of that name that is somebody else's goes first, with what is in it: its owner would say what any role's verifier is.
 */
const lookup = `
REVOKE ALL ON SCHEMA perch_pool FROM PUBLIC;
GRANT USAGE ON SCHEMA perch_pool TO ${poolUser};
CREATE OR REPLACE FUNCTION perch_pool.lookup(wanted text) RETURNS TABLE (name text, verifier text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT rolname::text, rolpassword FROM pg_authid
     WHERE rolname = wanted AND rolcanlogin AND rolpassword IS NOT NULL AND (rolvaliduntil IS NULL OR rolvaliduntil > now())
       AND rolname NOT IN ('perch', 'replicator', '${poolUser}') $$;
REVOKE ALL ON FUNCTION perch_pool.lookup(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION perch_pool.lookup(text) TO ${poolUser};
COMMENT ON SCHEMA perch_pool IS 'PgBouncer looks roles up here; see: perch postgres pool';`;

/** The role, made or given this password again. */
export const makePoolUser = (session: Session, password: string): Promise<void> =>
  transaction(session, async () => {
    await session.query("SET LOCAL log_statement = 'none'; SET LOCAL log_min_error_statement = 'panic'; SET LOCAL log_min_duration_statement = -1");
    const there = (await session.query("SELECT FROM pg_roles WHERE rolname = $1", [poolUser])).length > 0;
    const verb = there ? "ALTER" : "CREATE";
    await session.query(`${verb} ROLE ${poolUser} LOGIN NOSUPERUSER PASSWORD ${quoteLiteral(scramVerifier(password))}`);
  });

/** Databases into which PgBouncer cannot look yet. `admitted` are numbers: one that was dropped and made anew has its name, but not its rights. */
export async function unadmitted(session: Session, admitted: ReadonlySet<string>): Promise<string[]> {
  const rows = await session.query<{ name: string; number: string }>(
    "SELECT datname::text AS name, oid::text AS number FROM pg_database WHERE datallowconn AND datname <> 'template0'",
  );
  return rows.filter(({ number }) => !admitted.has(number)).map(({ name }) => name);
}

/** Lets it look in one database, and gives that one's number. Twice is the same as once. */
export async function admit(session: Session, database: string): Promise<string> {
  await transaction(session, async () => {
    const [there] = await session.query<{ ours: boolean }>(
      `SELECT bool_and(nspowner = current_user::regrole AND coalesce(proowner = nspowner, true)) AS ours
         FROM pg_namespace LEFT JOIN pg_proc ON pronamespace = pg_namespace.oid WHERE nspname = 'perch_pool' HAVING count(*) > 0`,
    );
    if (there?.ours === false) await session.query("DROP SCHEMA perch_pool CASCADE");
    // Not IF NOT EXISTS: who is quicker with one of his own gets in the way, but not in.
    if (there?.ours !== true) await session.query("CREATE SCHEMA perch_pool");
    await session.query(`GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${poolUser};${lookup}`);
  });
  const [row] = await session.query<{ number: string }>("SELECT oid::text AS number FROM pg_database WHERE datname = current_database()");
  return row?.number ?? "";
}

/** Takes all of that away again, role and all. */
export async function dismiss(open: (database: string) => Promise<Session>): Promise<void> {
  const session = await open("postgres");
  try {
    if ((await session.query("SELECT FROM pg_roles WHERE rolname = $1", [poolUser])).length === 0) return;
    for (const name of await unadmitted(session, new Set())) {
      const there = await open(name);
      await there.query(`DROP SCHEMA IF EXISTS perch_pool CASCADE; DROP OWNED BY ${poolUser}`).finally(() => there.close());
    }
    await session.query(`DROP ROLE ${poolUser}`);
  } finally {
    await session.close();
  }
}
