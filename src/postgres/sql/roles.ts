import { fail } from "../../errors/error.ts";
import { checkIdentifier, isIdentifier, printable } from "../../model/name.ts";
import { keeperUser, poolUser, replicationUser, superuser } from "../instance/hba.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";
import { retrying } from "./retry.ts";
import { scramVerifier } from "./scram.ts";
import { type Session, sqlState, transaction } from "./session.ts";

/**
 * Roles that can log in, which users and the API call users. Sessions are those of Perch's own superuser unless told
 * otherwise.
 */
export interface User {
  name: string;
  superuser: boolean;
  /** Those the user may connect to, templates left out. */
  databases: string[];
  /** The role whose login it is; null: it works as itself. */
  worksAs: string | null;
  /** Until when its password works, RFC 3339; null: for ever. */
  until: string | null;
}

const own: readonly string[] = [superuser, replicationUser, poolUser, keeperUser];
const protectedUsers: readonly string[] = ["postgres", ...own];

/**
 * What a new cluster needs before anything else, all or none; `session` is `postgres`, the one role initdb made. PUBLIC
 * keeps CONNECT on `postgres`, where createdb, Rails and Django knock before they look at a database of their own, and
 * loses it on template1, which every new database copies.
 */
export const bootstrap = (session: Session, passwords: { superuser: string; replication: string }): Promise<void> =>
  transaction(session, async () => {
    await keepOutOfLog(session);
    await session.query(
      `CREATE ROLE ${quoteIdentifier(superuser)} SUPERUSER LOGIN PASSWORD ${quoteLiteral(scramVerifier(passwords.superuser))}`,
    );
    await session.query(
      `CREATE ROLE ${quoteIdentifier(replicationUser)} REPLICATION LOGIN PASSWORD ${quoteLiteral(scramVerifier(passwords.replication))}`,
    );
    await session.query("REVOKE CONNECT, TEMPORARY ON DATABASE template1 FROM PUBLIC");
    await session.query("REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC");
  });

/** In the order of their names; the two that Perch keeps for itself are left out. */
export const listUsers = (session: Session): Promise<User[]> =>
  session.query<User>(
    `SELECT rolname AS name, rolsuper AS superuser,
            CASE WHEN isfinite(rolvaliduntil) THEN to_char(rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END AS until,
            (SELECT substr(setting, length('role=') + 1) FROM pg_db_role_setting, unnest(setconfig) AS setting
              WHERE setrole = pg_roles.oid AND setdatabase = 0 AND setting LIKE 'role=%') AS "worksAs",
            ARRAY(SELECT datname::text FROM pg_database WHERE NOT datistemplate AND has_database_privilege(pg_roles.oid, pg_database.oid, 'CONNECT') ORDER BY 1) AS databases
       FROM pg_roles WHERE rolcanlogin AND rolname <> ALL ($1) ORDER BY rolname`,
    [own],
  );

export const hasUser = async (session: Session, name: string): Promise<boolean> =>
  isIdentifier(name) && (await session.query("SELECT FROM pg_roles WHERE rolname = $1", [name])).length > 0;

/** Those of these names that a role has. */
export const existing = async (session: Session, names: readonly string[]): Promise<string[]> =>
  (
    await session.query<{ name: string }>("SELECT rolname::text AS name FROM pg_roles WHERE rolname = ANY ($1)", [
      [...names],
    ])
  ).map(({ name }) => name);

export async function createUser(
  session: Session,
  user: { name: string; password: string; superuser?: boolean },
): Promise<void> {
  checkUser(user.name);
  const may = user.superuser === true ? "SUPERUSER" : "NOSUPERUSER";
  await sayWhichUser(session, user.name, () =>
    withPassword(session, `CREATE ROLE ${quoteIdentifier(user.name)} LOGIN ${may}`, user.password),
  );
}

export async function setPassword(session: Session, name: string, password: string): Promise<void> {
  if (own.includes(name)) throw fail("user_protected", { user: name });
  await sayWhichUser(session, name, () => withPassword(session, `ALTER ROLE ${quoteIdentifier(name)}`, password));
}

/** Drops a user who owns nothing; one who does is `user_in_use`, with what PostgreSQL says depends on him. */
export async function dropUser(session: Session, name: string): Promise<void> {
  checkUser(name);
  await sayWhichUser(session, name, () => retrying(() => session.query(`DROP ROLE ${quoteIdentifier(name)}`)));
}

export function checkUser(name: string): void {
  checkIdentifier(name, "user");
  if (protectedUsers.includes(name)) throw fail("user_protected", { user: name });
}

/**
 * A verifier is worth guessing at: it stays out of the log, whether the statement fails, is slow, or log_statement is
 * on.
 */
const withPassword = (session: Session, statement: string, password: string): Promise<void> =>
  retrying(() =>
    transaction(session, async () => {
      await keepOutOfLog(session);
      await session.query(`${statement} PASSWORD ${quoteLiteral(scramVerifier(password))}`);
    }),
  );

export const keepOutOfLog = (session: Session): Promise<object[]> =>
  session.query(
    "SET LOCAL log_statement = 'none'; SET LOCAL log_min_error_statement = 'panic'; SET LOCAL log_min_duration_statement = -1; SET LOCAL log_duration = off",
  );

export async function sayWhichUser(session: Session, user: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const state = sqlState(error);
    if (state === "42710") throw fail("user_exists", { user, app: session.app }, error);
    if (state === "42704") throw fail("user_not_found", { user, app: session.app }, error);
    if (state === "2BP01" || state === "55006")
      throw fail("user_in_use", { user, why: (error as Error).message }, error);
    if (state === "42939")
      throw fail("identifier_invalid", { what: "user", name: printable(user), why: "PostgreSQL reserves it" }, error);
    throw error;
  }
}

/** Every role that may do everything, or become one that may (SET ROLE), in the order of their names. */
export async function listSuperusers(session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>(`SELECT rolname AS name FROM pg_roles r
      WHERE rolsuper OR EXISTS (SELECT FROM pg_roles s WHERE s.rolsuper AND pg_has_role(r.oid, s.oid, 'MEMBER'))
      ORDER BY rolname COLLATE "C"`);
  return rows.map(({ name }) => name);
}
