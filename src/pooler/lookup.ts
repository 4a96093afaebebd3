import { quoteIdentifier, quoteLiteral } from "../postgres/quote.ts";
import { scramVerifier } from "../postgres/scram.ts";
import { type Session, transaction } from "../postgres/sql.ts";
import { poolUser } from "../postgres/access.ts";

/**
 * What PgBouncer may ask PostgreSQL: the verifier of one role, by a function that only its own role may call. A verifier is no password: with it a
 * client's password can be checked, and the same client logged in, and nothing else. Up to PgBouncer 1.18 the question is asked in the client's own database, so
 * the function is in each of them.
 */
const lookup = `
CREATE SCHEMA IF NOT EXISTS perch_pool;
REVOKE ALL ON SCHEMA perch_pool FROM PUBLIC;
GRANT USAGE ON SCHEMA perch_pool TO ${poolUser};
CREATE OR REPLACE FUNCTION perch_pool.lookup(wanted text) RETURNS TABLE (name text, verifier text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT rolname::text, rolpassword FROM pg_authid
     WHERE rolname = wanted AND rolcanlogin AND (rolvaliduntil IS NULL OR rolvaliduntil > now())
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

/** Databases into which PgBouncer cannot look yet. */
export async function unadmitted(session: Session, admitted: ReadonlySet<string>): Promise<string[]> {
  const rows = await session.query<{ name: string }>("SELECT datname::text AS name FROM pg_database WHERE datallowconn AND datname <> 'template0'");
  return rows.map(({ name }) => name).filter((name) => !admitted.has(name));
}

/** Lets it look in one database. Twice is the same as once. */
export async function admit(session: Session, database: string): Promise<void> {
  await session.query(`GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${poolUser};${lookup}`);
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
