import { fail } from "../../errors/error.ts";
import {
  createDatabase,
  type Database,
  dropDatabase,
  hasDatabase,
  listDatabases,
} from "../../postgres/sql/databases.ts";
import { hasUser } from "../../postgres/sql/roles.ts";
import type { Context } from "../context.ts";
import { changing, type Led, onLeader } from "./session.ts";

/** Databases are PostgreSQL's own: nothing of them is kept in the store, and each change is one statement. */
export const databasesOf = (context: Context, led: Led): Promise<Database[]> =>
  onLeader(context, led, (session) => listDatabases(session));

/** As it is afterwards. Rejects with `user_not_found` where there is no such owner. */
export const createDatabaseIn = (
  context: Context,
  led: Led,
  { name, owner }: { name: string; owner: string },
): Promise<Database> =>
  changing(context, led, async (session) => {
    if (!(await hasUser(session, owner))) throw fail("user_not_found", { user: owner, app: led.record.app });
    await createDatabase(session, { name, owner });
    const made = (await listDatabases(session)).find((database) => database.name === name);
    return made ?? { name, owner, bytes: 0, users: [owner] };
  });

export const dropDatabaseIn = (context: Context, led: Led, name: string): Promise<void> =>
  changing(context, led, (session) => dropDatabase(session, name));

/** Rejects where the role is there already, or the database that is to be made. */
export const refuseTaken = (
  context: Context,
  led: Led,
  { user, database }: { user: string; database: string | undefined },
): Promise<void> =>
  onLeader(context, led, async (session) => {
    if (await hasUser(session, user)) throw fail("database_user_exists", { user });
    if (database !== undefined && (await hasDatabase(session, database)))
      throw fail("database_exists", { database, app: led.record.app });
  });
