import { ask } from "../../base/deadline.ts";
import { type Configuration, configure } from "../instance/configure.ts";
import type { Member } from "../instance/directory.ts";
import { quoteIdentifier, quoteLiteral } from "./quote.ts";
import { replicationUser, superuser } from "../instance/hba.ts";
import { existing, keepOutOfLog } from "./roles.ts";
import { scramVerifier } from "./scram.ts";
import { reload } from "../instance/server.ts";
import { connect, type Session, sqlState, transaction } from "./session.ts";

/**
 * Perch's own roles, and the database it works from, as they were made: after a `pg_dumpall` of another cluster was
 * restored into this one, `ALTER ROLE perch …` or `DROP DATABASE postgres`. The server runs on: for a moment its unix
 * socket is open to the two superusers without a password. Only PostgreSQL's user and root come to that socket.
 */

/**
 * What PostgreSQL says to a login that is not as Perch made it: password, role, rights, database. None of these is a
 * server that is not well.
 */
const repairable: ReadonlySet<string> = new Set(["28P01", "28000", "42501", "3D000", "55000"]);
export const isRepairable = (state: string): boolean => repairable.has(state);

/** Gives what was put right. Rejects with `sql_failed` when neither superuser comes in. */
export async function restoreOwnRoles(
  member: Member,
  wanted: Configuration,
  passwords: { superuser: string; replication: string },
): Promise<string[]> {
  await configure(member, { ...wanted, trustSocket: true });
  try {
    await reload(member);
    const session = await comeIn(member);
    try {
      return [...(await restoreDatabase(session)), ...(await restoreRoles(session, passwords))];
    } finally {
      await session.close();
    }
  } finally {
    await configure(member, wanted);
    await reload(member);
  }
}

/** As the first superuser and in the first database that is there. A reload takes a moment to be heard. */
async function comeIn(member: Member): Promise<Session> {
  let refused: unknown;
  const tried = async () => {
    for (const user of ["postgres", superuser])
      for (const database of ["postgres", "template1"])
        try {
          return await connect(member, { user, password: "", database });
        } catch (error) {
          // The database alone is missing: the role is known, and this is as far as it goes.
          if (refused === undefined || sqlState(error) !== "3D000") refused = error;
        }
    return undefined;
  };
  const session = await ask(tried, { everyMs: 100, withinMs: 3_000 });
  if (session === undefined) throw refused;
  return session;
}

async function restoreDatabase(session: Session): Promise<string[]> {
  const [found] = await session.query<{ open: boolean }>(
    "SELECT datallowconn AS open FROM pg_database WHERE datname = 'postgres'",
  );
  if (found?.open === true) return [];
  if (found === undefined) {
    // template1 may be in use just now, by a session of somebody else's.
    await session.query("CREATE DATABASE postgres TEMPLATE template0", [], 120_000);
    await session.query("REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC");
    return ["database postgres was made again"];
  }
  await session.query("ALTER DATABASE postgres ALLOW_CONNECTIONS true");
  return ["database postgres takes connections again"];
}

async function restoreRoles(
  session: Session,
  passwords: { superuser: string; replication: string },
): Promise<string[]> {
  const roles = [
    { name: superuser, may: "SUPERUSER", password: passwords.superuser },
    { name: replicationUser, may: "NOSUPERUSER REPLICATION", password: passwords.replication },
  ];
  const there = await existing(
    session,
    roles.map(({ name }) => name),
  );
  await transaction(session, async () => {
    await keepOutOfLog(session);
    for (const { name, may, password } of roles) {
      const role = quoteIdentifier(name);
      if (!there.includes(name)) await session.query(`CREATE ROLE ${role}`);
      await session.query(
        `ALTER ROLE ${role} LOGIN ${may} CONNECTION LIMIT -1 PASSWORD ${quoteLiteral(scramVerifier(password))} VALID UNTIL 'infinity'`,
      );
    }
  });
  return roles.map(
    ({ name }) => `role ${name} ${there.includes(name) ? "has its password and its rights again" : "was made again"}`,
  );
}
