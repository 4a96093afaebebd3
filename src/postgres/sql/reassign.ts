import { fail } from "../../errors/error.ts";
import { keeperUser } from "../instance/hba.ts";
import { type Belonging, belongings, give } from "./owned-objects.ts";
import { type Blocker, blockersOf, blockersOfRole, sentenceOf } from "./blockers.ts";
import { copyDefaultPrivileges } from "./default-privileges.ts";
import { quoteIdentifier } from "./quote.ts";
import { retrying } from "./retry.ts";
import { checkUser, existing } from "./roles.ts";
import { type Session, sqlState } from "./session.ts";

export type Open = (database: string) => Promise<Session>;

/** What was given away already, so that it can be given back. */
interface Trace {
  logins: string[];
  databases: { name: string; owner: string }[];
  given: { database: string; owner: string; what: Belonging[] }[];
}

/**
 * Rejects with `held` where roles cannot go because of somebody else. Changes nothing. `without`: a database that goes
 * before them.
 */
export async function checkRetirement(open: Open, names: readonly string[], without?: string): Promise<void> {
  await withOpened(open, "postgres", async (session) => {
    const found: Blocker[] = [];
    for (const name of names) found.push(...(await blockersOfRole(session, name)));
    for (const database of await databasesOf(session)) {
      if (database === without || found.length > 0) continue;
      await withOpened(open, database, async (there) => {
        for (const name of names) found.push(...(await blockersOf(there, await belongings(there, name), names)));
      });
    }
    if (found.length > 0) throw fail("held", { what: `what ${names.at(-1) ?? ""} owns`, ...sentenceOf(found) });
  });
}

/**
 * Drops roles and leaves what they owned to `heir`, in every database; their sessions end. As a whole: where something
 * cannot be given away, what was is given back, and the roles may log in again. Who is gone already is no error.
 * Without an heir it is the keeper's, or the operator's where the keeper may not own it.
 */
export async function retireUsers(open: Open, names: readonly string[], heir?: string): Promise<void> {
  for (const name of names) checkUser(name);
  const heirs = heir === undefined ? [keeperUser, "postgres"] : [heir, "postgres"];
  await withOpened(open, "postgres", async (session) => {
    const there = await existing(session, names);
    const roles = names.filter((name) => there.includes(name));
    if (roles.length === 0) return;
    await checkRetirement(open, roles);
    await ensureKeeper(session);
    const trace: Trace = { logins: [], databases: [], given: [] };
    try {
      await shutOut(session, roles, trace);
      for (const database of await databasesOf(session))
        await withOpened(open, database, (own) => giveAll(own, { database, roles, heirs }, trace));
    } catch (error) {
      await takeBack(open, trace).catch((cause: unknown) => {
        throw fail(
          "half_retired",
          { users: roles.join(", "), why: whyOf(error) },
          new AggregateError([error, cause], "taking back failed, too"),
        );
      });
      throw error;
    }
    for (const database of await databasesOf(session))
      await withOpened(open, database, (own) => letGo(own, roles, heirs[0] ?? "postgres"));
    for (const role of roles) await retrying(() => session.query(`DROP ROLE ${quoteIdentifier(role)}`));
  });
}

const whyOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** NOLOGIN, NOSUPERUSER and nothing else. */
export async function ensureKeeper(session: Session): Promise<void> {
  if ((await existing(session, [keeperUser])).length > 0) return;
  await retrying(() => session.query(`CREATE ROLE ${quoteIdentifier(keeperUser)} NOLOGIN`));
}

async function shutOut(session: Session, roles: readonly string[], trace: Trace): Promise<void> {
  for (const role of roles) {
    const may = await session.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1 AND rolcanlogin", [role]);
    if (may.length > 0) trace.logins.push(role);
    await retrying(() => session.query(`ALTER ROLE ${quoteIdentifier(role)} NOLOGIN`));
  }
  await session.query(
    "SELECT pg_catalog.pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity WHERE usename = ANY ($1)",
    [[...roles]],
  );
  const owned = await session.query<{ name: string; owner: string }>(
    "SELECT datname::text AS name, rolname::text AS owner FROM pg_catalog.pg_database JOIN pg_catalog.pg_roles r ON r.oid = datdba WHERE rolname = ANY ($1)",
    [[...roles]],
  );
  for (const database of owned) {
    await retrying(() => session.query(`ALTER DATABASE ${quoteIdentifier(database.name)} OWNER TO postgres`));
    trace.databases.push(database);
  }
}

async function giveAll(
  session: Session,
  { database, roles, heirs }: { database: string; roles: readonly string[]; heirs: readonly string[] },
  trace: Trace,
): Promise<void> {
  for (const owner of roles) {
    const what: Belonging[] = [];
    trace.given.push({ database, owner, what });
    await give(session, await belongings(session, owner), heirs, what);
  }
}

async function takeBack(open: Open, { logins, databases, given }: Trace): Promise<void> {
  for (const { database, owner, what } of given)
    if (what.length > 0) await withOpened(open, database, (session) => give(session, what, [owner]));
  await withOpened(open, "postgres", async (session) => {
    for (const { name, owner } of databases)
      await retrying(() => session.query(`ALTER DATABASE ${quoteIdentifier(name)} OWNER TO ${quoteIdentifier(owner)}`));
    for (const login of logins) await retrying(() => session.query(`ALTER ROLE ${quoteIdentifier(login)} LOGIN`));
  });
}

/**
 * What cannot be given by name (extensions), and what is nobody's but the role's: its rights, default privileges and
 * user mappings.
 */
async function letGo(session: Session, roles: readonly string[], heir: string): Promise<void> {
  for (const role of roles) {
    await copyDefaultPrivileges(session, role, heir);
    const user = quoteIdentifier(role);
    // One transaction: what is its own is never dropped unless it was given away first.
    await retrying(() =>
      session.query(`REASSIGN OWNED BY ${user} TO ${quoteIdentifier(heir)}; DROP OWNED BY ${user}`, [], 120_000),
    );
  }
}

export async function databasesOf(session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    "SELECT datname::text AS name FROM pg_catalog.pg_database WHERE datallowconn ORDER BY oid",
  );
  return rows.map(({ name }) => name);
}

/** One that was dropped meanwhile has nothing of anybody's. */
export async function withOpened(
  open: Open,
  database: string,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const session = await open(database).catch((error: unknown) => {
    if (sqlState(error) === "3D000") return undefined;
    throw error;
  });
  if (session === undefined) return;
  try {
    await work(session);
  } finally {
    await session.close();
  }
}
