import { quoteIdentifier, quoteLiteral } from "../postgres/sql/quote.ts";
import { scramVerifier } from "../postgres/sql/scram.ts";
import { type Session, sqlState, transaction } from "../postgres/sql/session.ts";
import { poolUser } from "../postgres/instance/hba.ts";

/**
 * What PgBouncer may ask PostgreSQL: the verifier of one role, by a function that answers its own role alone. A
 * verifier is no password: with it a client's password can be checked, and the same client logged in, and nothing else.
 * Up to PgBouncer 1.18 the question is asked in the client's own database, so the function is in each of them. It
 * stands in pg_catalog, where only superusers make anything and of which pg_dump takes nothing along. For the same
 * reason it has no rights of its own: whoever is not the pooler reads no row. All names in it are qualified: who owns
 * the database may have put others in the way.
 */
const source = `
    SELECT rolname::pg_catalog.text, rolpassword FROM pg_catalog.pg_authid
     WHERE session_user OPERATOR(pg_catalog.=) '${poolUser}' AND rolname OPERATOR(pg_catalog.=) wanted
       AND rolcanlogin AND rolpassword IS NOT NULL AND (rolvaliduntil IS NULL OR rolvaliduntil OPERATOR(pg_catalog.>) pg_catalog.now())
       AND rolname OPERATOR(pg_catalog.<>) ALL ('{perch,replicator,${poolUser}}'::pg_catalog.name[]) `;
const lookup = `CREATE OR REPLACE FUNCTION pg_catalog.perch_pool_lookup(wanted pg_catalog.text)
  RETURNS TABLE (name pg_catalog.text, verifier pg_catalog.text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$${source}$$`;

/** In what follows a name without a schema is PostgreSQL's own. */
const ownNames = "SET LOCAL search_path = pg_catalog, pg_temp";

/** The role, made or given this password again. */
export const makePoolUser = (session: Session, password: string): Promise<void> =>
  transaction(session, async () => {
    await session.query(
      "SET LOCAL log_statement = 'none'; SET LOCAL log_min_error_statement = 'panic'; SET LOCAL log_min_duration_statement = -1",
    );
    const there = (await session.query("SELECT FROM pg_roles WHERE rolname = $1", [poolUser])).length > 0;
    const verb = there ? "ALTER" : "CREATE";
    await session.query(`${verb} ROLE ${poolUser} LOGIN NOSUPERUSER PASSWORD ${quoteLiteral(scramVerifier(password))}`);
  });

/** What PostgreSQL keeps of the role's password; undefined where it may not log in, or is not there. */
export async function poolVerifier(session: Session): Promise<string | undefined> {
  const rows = await session.query<{ verifier: string | null }>(
    "SELECT rolpassword AS verifier FROM pg_catalog.pg_authid WHERE rolname = $1 AND rolcanlogin",
    [poolUser],
  );
  return rows[0]?.verifier ?? undefined;
}

/**
 * Databases into which PgBouncer cannot look yet. `admitted` are numbers: one that was dropped and made anew has its
 * name, but not its rights.
 */
export async function unadmitted(session: Session, admitted: ReadonlySet<string>): Promise<string[]> {
  const rows = await session.query<{ name: string; number: string }>(
    "SELECT datname::text AS name, oid::text AS number FROM pg_catalog.pg_database WHERE datallowconn AND datname <> 'template0'",
  );
  return rows.filter(({ number }) => !admitted.has(number)).map(({ name }) => name);
}

/** Lets it look in one database. Twice is the same as once. */
export async function admit(session: Session, database: string): Promise<Admitted> {
  return transaction(session, async () => {
    await session.query(ownNames);
    const [there] = await session.query<{ same: boolean }>(
      `SELECT pg_get_userbyid(proowner) = current_user AND prosrc = $1 AND prosecdef AND proacl IS NULL AS same
         FROM pg_proc WHERE oid = to_regprocedure('pg_catalog.perch_pool_lookup(text)')`,
      [source],
    );
    // Another superuser's would go on being his.
    if (there?.same === false) await session.query("DROP FUNCTION pg_catalog.perch_pool_lookup(text)");
    if (there?.same !== true) await session.query(lookup);
    await session.query(`GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${poolUser}`);
    const [row] = await session.query<Admitted>(
      `SELECT oid::text AS number, EXISTS (${older}) AS older FROM pg_database WHERE datname = current_database()`,
    );
    return row ?? { number: "", older: false };
  });
}

export interface Admitted {
  /** Of the database. */
  number: string;
  /** An older Perch left the schema there by which it had roles looked up. */
  older: boolean;
}

/**
 * Up to 0.1.0 the function stood in a schema, which pg_dump took along. One that is somebody else's is left alone:
 * nothing is asked of it.
 */
const older = "SELECT FROM pg_namespace WHERE nspname = 'perch_pool' AND pg_get_userbyid(nspowner) = current_user";

/** Takes away what an older Perch left in one database. What somebody built on it keeps it. */
export const sweep = (session: Session): Promise<void> =>
  transaction(session, async () => {
    await session.query(ownNames);
    if ((await session.query(older)).length === 0) return;
    await session.query("DROP FUNCTION IF EXISTS perch_pool.lookup(text); DROP SCHEMA perch_pool RESTRICT");
  }).catch(keptBySomebody);

/** 2BP01: a view or a function of somebody's uses it. It answers nobody once the pooler's role is gone. */
function keptBySomebody(error: unknown): void {
  if (sqlState(error) !== "2BP01") throw error;
}

const forget = (session: Session): Promise<void> =>
  transaction(session, async () => {
    await session.query(ownNames);
    await session.query("DROP FUNCTION IF EXISTS pg_catalog.perch_pool_lookup(text)");
  }).catch(keptBySomebody);

/** Takes all of that away again, role and all. */
export async function dismiss(open: (database: string) => Promise<Session>): Promise<void> {
  const session = await open("postgres");
  try {
    if ((await session.query("SELECT FROM pg_roles WHERE rolname = $1", [poolUser])).length === 0) return;
    for (const name of await unadmitted(session, new Set())) {
      const there = await open(name);
      const gone = async () => {
        await sweep(there);
        await forget(there);
        await there.query(`DROP OWNED BY ${poolUser}`);
      };
      await gone().finally(() => there.close());
    }
    await session.query(`DROP ROLE ${poolUser}`);
  } finally {
    await session.close();
  }
}
