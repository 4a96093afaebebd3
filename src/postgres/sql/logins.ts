import { quoteIdentifier, quoteLiteral } from "./quote.ts";
import { hasUser, keepOutOfLog, sayWhichUser } from "./roles.ts";
import { retrying } from "./retry.ts";
import { scramVerifier } from "./scram.ts";
import { type Session, transaction } from "./session.ts";

/**
 * Several logins of one role, each with a password of its own. All but the role itself are members of it and work as it
 * (SET role), so what is made through any of them is the role's. They are as it is in everything else: SET ROLE alone
 * brings neither its settings nor, after SET ROLE NONE, its attributes.
 */
export interface Login {
  user: string;
  login: string;
}

/** Makes the login where there is none, and gives it this password, which has no end. All or nothing. */
export const giveLogin = (session: Session, { user, login, password }: Login & { password: string }): Promise<void> =>
  sayWhichUser(session, user, () =>
    retrying(() =>
      transaction(session, async () => {
        await keepOutOfLog(session);
        const [role, name] = [quoteIdentifier(user), quoteIdentifier(login)];
        if (login !== user) {
          if (!(await hasUser(session, login))) await session.query(`CREATE ROLE ${name}`);
          await session.query(`GRANT ${role} TO ${name}`);
          await align(session, { user, login });
        }
        await session.query(
          `ALTER ROLE ${name} PASSWORD ${quoteLiteral(scramVerifier(password))} VALID UNTIL 'infinity'`,
        );
      }),
    ),
  );

export const limitLogin = async (session: Session, login: string, until: string): Promise<void> =>
  void (await session.query(`ALTER ROLE ${quoteIdentifier(login)} VALID UNTIL ${quoteLiteral(until)}`));

/** From now on nobody comes in by it: it has no password any more. Sessions go on. */
export const endLogin = async (session: Session, login: string): Promise<void> =>
  void (await session.query(`ALTER ROLE ${quoteIdentifier(login)} PASSWORD NULL VALID UNTIL 'now'`));

export interface LoginState {
  login: string;
  /** RFC 3339, milliseconds; null: for ever. */
  until: string | null;
  ended: boolean;
}

/** Of those that exist. */
export const loginStates = (session: Session, logins: readonly string[]): Promise<LoginState[]> =>
  session.query<LoginState>(
    `SELECT rolname::text AS login, rolpassword IS NULL AS ended,
            CASE WHEN isfinite(rolvaliduntil) THEN to_char(rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') END AS until
       FROM pg_authid WHERE rolname = ANY ($1)`,
    [[...logins]],
  );

/** Those that have a session with this server. */
export const loginsInUse = async (session: Session, logins: readonly string[]): Promise<string[]> =>
  (
    await session.query<{ login: string }>(
      "SELECT DISTINCT usename::text AS login FROM pg_stat_activity WHERE usename = ANY ($1)",
      [[...logins]],
    )
  ).map(({ login }) => login);

/** Those that are not as their role is: somebody has changed it since. */
export const unlike = (session: Session, logins: readonly Login[]): Promise<Login[]> =>
  session.query<Login>(
    `SELECT u.rolname::text AS user, l.rolname::text AS login
       FROM unnest($1::text[], $2::text[]) AS pair (u, l) JOIN pg_roles u ON u.rolname = pair.u JOIN pg_roles l ON l.rolname = pair.l
      WHERE ROW (${attributes("u")}) IS DISTINCT FROM ROW (${attributes("l")})
         OR EXISTS ((${wantedSettings} EXCEPT ${ownSettings}) UNION ALL (${ownSettings} EXCEPT ${wantedSettings}))`,
    [logins.map(({ user }) => user), logins.map(({ login }) => login)],
  );

const flags = {
  rolsuper: "SUPERUSER",
  rolcreatedb: "CREATEDB",
  rolcreaterole: "CREATEROLE",
  rolcanlogin: "LOGIN",
  rolreplication: "REPLICATION",
  rolbypassrls: "BYPASSRLS",
};
const attributes = (of: string): string =>
  [...Object.keys(flags), "rolconnlimit"].map((name) => `${of}.${name}`).join(", ");

/** Settings as they are kept: a row for all databases (0) and one for each that has its own. */
const ownSettings = "SELECT setdatabase, setconfig FROM pg_db_role_setting WHERE setrole = l.oid";
const wantedSettings = `SELECT setdatabase, CASE WHEN setdatabase = 0 AND NOT EXISTS (SELECT FROM unnest(setconfig) AS one WHERE one LIKE 'role=%')
                THEN setconfig || ('role=' || u.rolname) ELSE setconfig END AS setconfig
     FROM (SELECT setdatabase, setconfig FROM pg_db_role_setting WHERE setrole = u.oid
            UNION ALL SELECT 0, '{}' WHERE NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setrole = u.oid AND setdatabase = 0)) AS its`;

/** Makes a login as its role is. Twice is the same as once. */
export const makeAlike = (session: Session, login: Login): Promise<void> =>
  retrying(() => transaction(session, () => align(session, login)));

async function align(session: Session, { user, login }: Login): Promise<void> {
  const [role] = await session.query<Record<keyof typeof flags, boolean> & { rolconnlimit: number }>(
    `SELECT ${attributes("u")} FROM pg_roles u WHERE rolname = $1`,
    [user],
  );
  if (role === undefined) return;
  const words = Object.entries(flags).map(([name, word]) => (role[name as keyof typeof flags] ? word : `NO${word}`));
  await session.query(`ALTER ROLE ${quoteIdentifier(login)} ${words.join(" ")} CONNECTION LIMIT ${role.rolconnlimit}`);
  // Copied as they lie there: what a role says in its settings is never part of a statement of ours.
  const pair = "pg_roles u, pg_roles l WHERE u.rolname = $1 AND l.rolname = $2";
  await session.query(
    `DELETE FROM pg_db_role_setting AS own USING ${pair} AND own.setrole = l.oid AND (own.setdatabase, own.setconfig) NOT IN (${wantedSettings})`,
    [user, login],
  );
  await session.query(
    `INSERT INTO pg_db_role_setting (setdatabase, setrole, setconfig)
     SELECT wanted.setdatabase, l.oid, wanted.setconfig FROM pg_roles u, pg_roles l, LATERAL (${wantedSettings} EXCEPT ${ownSettings}) AS wanted
      WHERE u.rolname = $1 AND l.rolname = $2`,
    [user, login],
  );
}
