import { fail } from "../../errors/error.ts";
import { keeperUser } from "../instance/hba.ts";
import { belongings, give } from "./owned-objects.ts";
import { closeDatabase } from "./databases.ts";
import { copyDefaultPrivileges } from "./default-privileges.ts";
import { quoteIdentifier } from "./quote.ts";
import { retrying } from "./retry.ts";
import { ensureKeeper } from "./reassign.ts";
import type { Session } from "./session.ts";

/**
 * Lets a role use a database that was there before it. One that nobody but the operator owns becomes the role's, with
 * what the operator and the keeper own in it (that is how `detach` left it); one that another role owns stays that
 * role's, and the new one becomes its member and works there as it (SET ROLE), so that what either makes belongs to
 * both: two apps on one database. A superuser stays himself. Gives what PUBLIC lost.
 */
export async function shareDatabase(
  open: (database: string) => Promise<Session>,
  share: { name: string; user: string },
): Promise<string[]> {
  const session = await open(share.name);
  try {
    const [row] = await session.query<{ owner: string; superuser: boolean }>(
      "SELECT rolname AS owner, rolsuper AS superuser FROM pg_catalog.pg_database JOIN pg_catalog.pg_roles ON pg_roles.oid = datdba WHERE datname = $1",
      [share.name],
    );
    if (row === undefined) throw fail("database_not_found", { database: share.name, app: session.app });
    const taken = await closeDatabase(session, share.name);
    if (row.owner === share.user) return taken;
    const [user, owner, database] = [share.user, row.owner, share.name].map(quoteIdentifier);
    if (!row.superuser) {
      await retrying(() => session.query(`GRANT ${owner} TO ${user}`));
      if (!(await isSuperuser(session, share.user)))
        await retrying(() => session.query(`ALTER ROLE ${user} IN DATABASE ${database} SET role TO ${owner}`));
      return taken;
    }
    await retrying(() => session.query(`ALTER ROLE ${user} IN DATABASE ${database} RESET role`));
    await retrying(() => session.query(`ALTER DATABASE ${database} OWNER TO ${user}`));
    // An owner may have had his own rights taken away; the next one starts with all of them.
    await retrying(() => session.query(`GRANT ALL ON DATABASE ${database} TO ${user}`));
    await give(session, await belongings(session, row.owner), [share.user, row.owner]);
    await inheritFromKeeper(session, share.user);
    return taken;
  } finally {
    await session.close();
  }
}

const isSuperuser = async (session: Session, user: string): Promise<boolean> =>
  (await session.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1 AND rolsuper", [user])).length > 0;

/** All that detached apps left in this database, extensions, rights and default privileges, too. */
async function inheritFromKeeper(session: Session, user: string): Promise<void> {
  await ensureKeeper(session);
  await give(session, await belongings(session, keeperUser), [user, "postgres"]);
  await copyDefaultPrivileges(session, keeperUser, user);
  const keeper = quoteIdentifier(keeperUser);
  await retrying(() =>
    session.query(`REASSIGN OWNED BY ${keeper} TO ${quoteIdentifier(user)}; DROP OWNED BY ${keeper}`, [], 120_000),
  );
}
