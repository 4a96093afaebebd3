import { fail, PerchError } from "../../errors/error.ts";
import { checkDatabase, isIdentifier } from "../../model/name.ts";
import { poolUser } from "../instance/hba.ts";
import { blockersOfDrop, sentenceOf } from "./blockers.ts";
import { quoteIdentifier } from "./quote.ts";
import { retrying } from "./retry.ts";
import { type Session, sqlState, transaction } from "./session.ts";

/** Databases of one server; the session is that of a superuser, connected to `postgres`. */
export interface Database {
  name: string;
  owner: string;
  bytes: number;
  /** Who may connect, superusers left out. */
  users: string[];
}

/** In the order of their names, templates left out. */
export async function listDatabases(session: Session): Promise<Database[]> {
  const rows = await session.query<Database & { bytes: string }>(
    `SELECT datname AS name, pg_get_userbyid(datdba) AS owner, pg_database_size(pg_database.oid) AS bytes,
            ARRAY(SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND NOT rolreplication AND rolname <> $1
                     AND has_database_privilege(pg_roles.oid, pg_database.oid, 'CONNECT') ORDER BY 1) AS users
       FROM pg_database WHERE NOT datistemplate AND datallowconn ORDER BY datname`,
    [poolUser],
  );
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

export const hasDatabase = async (session: Session, name: string): Promise<boolean> =>
  isIdentifier(name) && (await session.query("SELECT FROM pg_database WHERE datname = $1", [name])).length > 0;

/**
 * A database nobody may connect to but its owner, who also owns its public schema: that belongs to pg_database_owner,
 * whoever that is. All or nothing.
 */
export async function createDatabase(session: Session, database: { name: string; owner: string }): Promise<void> {
  checkDatabase(database.name);
  const name = quoteIdentifier(database.name);
  await sayWhich(session, database, () =>
    // Shut until PUBLIC has lost its right to connect.
    retrying(() =>
      session.query(
        `CREATE DATABASE ${name} OWNER ${quoteIdentifier(database.owner)} ALLOW_CONNECTIONS false`,
        [],
        120_000,
      ),
    ),
  );
  try {
    await transaction(session, async () => {
      await session.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
      // What else a pooler needs came with template1.
      const pooled = await session.query("SELECT FROM pg_roles WHERE rolname = $1", [poolUser]);
      if (pooled.length > 0) await session.query(`GRANT CONNECT ON DATABASE ${name} TO ${quoteIdentifier(poolUser)}`);
      await session.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
    });
  } catch (error) {
    // What failed first is thrown; a database that is left is found by its name.
    await session.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(() => undefined);
    throw error;
  }
}

/** Gives a database that exists to a role, with its public schema. What others own in it stays theirs. */
export async function giveDatabase(session: Session, database: { name: string; owner: string }): Promise<void> {
  checkDatabase(database.name);
  await sayWhich(session, database, () =>
    session.query(`ALTER DATABASE ${quoteIdentifier(database.name)} OWNER TO ${quoteIdentifier(database.owner)}`),
  );
}

/**
 * Drops it; its connections end. What would not let it go is named, and then nobody is sent away. The session is in
 * another database.
 */
export async function dropDatabase(session: Session, name: string): Promise<void> {
  checkDatabase(name);
  const found = await blockersOfDrop(session, name);
  if (found.length > 0) throw fail("held", { what: `database ${name}`, ...sentenceOf(found) });
  // As long as it takes: one that was given up after a time could still be dropped later.
  await sayWhich(session, { name, owner: "" }, () =>
    session.query(`DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`, [], dropMs),
  );
}

const dropMs = 15 * 60_000;

/**
 * Shuts a database that was there before to those whom nothing but PUBLIC lets in, as a new one is shut. What was
 * granted to a role by name stays. Gives what was taken. A `public` schema as before PostgreSQL 15, where everybody
 * might make tables, becomes the owner's; the session is in that database.
 */
export async function closeDatabase(session: Session, name: string): Promise<string[]> {
  const [row] = await session.query<{ taken: string[]; open: boolean; old: boolean }>(
    `SELECT ARRAY(SELECT DISTINCT a.privilege_type FROM pg_catalog.aclexplode(coalesce(d.datacl, pg_catalog.acldefault('d', d.datdba))) AS a
                   WHERE a.grantee = 0 ORDER BY 1) AS taken,
            EXISTS (SELECT FROM pg_catalog.pg_namespace AS n, pg_catalog.aclexplode(n.nspacl) AS a
                     WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE') AS open,
            EXISTS (SELECT FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner
                     WHERE n.nspname = 'public' AND n.oid < 16384 AND r.rolsuper) AS old
       FROM pg_catalog.pg_database AS d WHERE d.datname = $1`,
    [name],
  );
  if (row === undefined) throw fail("database_not_found", { database: name, app: session.app });
  const statements = [
    ...(row.taken.length > 0 ? [`REVOKE ALL ON DATABASE ${quoteIdentifier(name)} FROM PUBLIC`] : []),
    ...(row.old ? ["ALTER SCHEMA public OWNER TO pg_database_owner"] : []),
    ...(row.open ? ["REVOKE CREATE ON SCHEMA public FROM PUBLIC"] : []),
  ];
  if (statements.length > 0) await retrying(() => transaction(session, () => session.query(statements.join("; "))));
  return [...row.taken, ...(row.open ? ["CREATE on its schema public"] : [])];
}

async function sayWhich(
  session: Session,
  database: { name: string; owner: string },
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw named(session.app, database, error);
  }
}

function named(app: string, database: { name: string; owner: string }, error: unknown): unknown {
  if (!(error instanceof PerchError)) return error;
  switch (sqlState(error)) {
    case "42P04":
      return fail("database_exists", { database: database.name, app }, error);
    case "3D000":
      return fail("database_not_found", { database: database.name, app }, error);
    case "42704":
      return fail("user_not_found", { user: database.owner, app }, error);
    default:
      return error;
  }
}
