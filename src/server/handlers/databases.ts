import { fail } from "../../errors/error.ts";
import { checkIdentifier } from "../../model/name.ts";
import { checkPassword } from "../../model/secret.ts";
import { createDatabase, dropDatabase, listDatabases } from "../../postgres/sql/databases.ts";
import { createUser, dropUser, hasUser, listUsers } from "../../postgres/sql/roles.ts";
import { randomPassword } from "../../vault/random-password.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { refuseLoginOfAnother } from "./known-login.ts";
import { changing, onLeader } from "./leader.ts";
import { ownerOf } from "./rotation-wish.ts";

type DatabaseHandlers = Pick<
  Handlers,
  "listDatabases" | "createDatabase" | "dropDatabase" | "listUsers" | "createUser" | "dropUser"
>;

/**
 * Databases and users are PostgreSQL's own: nothing of them is kept in the store, and each change is one statement or
 * transaction.
 */
export function databaseHandlers(deps: Deps): DatabaseHandlers {
  const { events, state } = deps;
  return {
    listDatabases: ({ params }) => onLeader(deps, params.cluster, (session) => listDatabases(session)),

    async createDatabase({ params, body }) {
      checkIdentifier(body.name, "database");
      return changing(deps, params.cluster, async (session) => {
        const owner = body.owner ?? "postgres";
        if (!(await hasUser(session, owner))) throw fail("user_not_found", { user: owner, app: params.cluster });
        await createDatabase(session, { name: body.name, owner });
        await events.append(params.cluster, `database ${body.name} of ${params.cluster} was created for ${owner}`);
        const made = (await listDatabases(session)).find((database) => database.name === body.name);
        return made ?? { name: body.name, owner, bytes: 0, users: [owner] };
      });
    },

    async dropDatabase({ params }) {
      const attached = (await state.attachments.list({ cluster: params.cluster })).filter(
        (attachment) => attachment.database === params.database,
      );
      if (attached.length > 0)
        throw fail("database_in_use", {
          database: params.database,
          apps: attached.map((attachment) => attachment.app).join(", "),
          app: params.cluster,
        });
      await changing(deps, params.cluster, (session) => dropDatabase(session, params.database));
      await events.append(params.cluster, `database ${params.database} of ${params.cluster} was dropped`);
      return {};
    },

    listUsers: ({ params }) => onLeader(deps, params.cluster, (session) => listUsers(session)),

    async createUser({ params, body }) {
      const user = checkIdentifier(body.name, "user");
      await refuseLoginOfAnother(deps, params.cluster, user);
      const password = body.password === undefined ? randomPassword() : checkPassword(body.password);
      await changing(deps, params.cluster, (session) =>
        createUser(session, { name: user, password, superuser: body.superuser }),
      );
      // A public door refuses superusers by name: this one shall be known soon.
      deps.clusters.find(params.cluster)?.wake();
      await events.append(params.cluster, `user ${user} of ${params.cluster} was created`);
      return { user, password };
    },

    async dropUser({ params }) {
      const attached = (await state.attachments.list({ cluster: params.cluster })).filter(
        (attachment) => attachment.user === params.user,
      );
      if (attached.length > 0)
        throw fail("user_in_use", {
          user: params.user,
          why: `${attached.map((attachment) => attachment.app).join(", ")} is attached as it`,
        });
      const owner = await ownerOf(deps, params.cluster, params.user);
      if (owner !== params.user) throw fail("user_in_use", { user: params.user, why: `${owner} logs in as it` });
      await changing(deps, params.cluster, (session) => dropUser(session, params.user));
      await events.append(params.cluster, `user ${params.user} of ${params.cluster} was dropped`);
      return {};
    },
  };
}
