import { fail } from "../../errors/error.ts";
import { createDatabaseIn, databasesOf, dropDatabaseIn } from "../../cluster/leader/databases.ts";
import { createUserIn, dropUserIn, usersOf } from "../../cluster/leader/users.ts";
import { checkIdentifier } from "../../model/name.ts";
import { checkPassword } from "../../model/secret.ts";
import { randomPassword } from "../../vault/random-password.ts";
import type { Deps } from "../deps.ts";
import { requireLeader } from "./cluster.ts";
import type { Handlers } from "../http/http.ts";
import { refuseLoginOfAnother } from "./known-login.ts";
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
  const { context, events, state } = deps;
  return {
    listDatabases: async ({ params }) => databasesOf(context, await requireLeader(deps, params.cluster)),

    async createDatabase({ params, body }) {
      checkIdentifier(body.name, "database");
      const owner = body.owner ?? "postgres";
      const led = await requireLeader(deps, params.cluster);
      const made = await createDatabaseIn(context, led, { name: body.name, owner });
      await events.append(params.cluster, `database ${body.name} of ${params.cluster} was created for ${owner}`);
      return made;
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
      await dropDatabaseIn(context, await requireLeader(deps, params.cluster), params.database);
      await events.append(params.cluster, `database ${params.database} of ${params.cluster} was dropped`);
      return {};
    },

    listUsers: async ({ params }) => usersOf(context, await requireLeader(deps, params.cluster)),

    async createUser({ params, body }) {
      const user = checkIdentifier(body.name, "user");
      await refuseLoginOfAnother(deps, params.cluster, user);
      const password = body.password === undefined ? randomPassword() : checkPassword(body.password);
      const led = await requireLeader(deps, params.cluster);
      await createUserIn(context, led, { name: user, password, superuser: body.superuser });
      led.loop.wake(); // a public ingress refuses superusers by name
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
      await dropUserIn(context, await requireLeader(deps, params.cluster), params.user);
      await events.append(params.cluster, `user ${params.user} of ${params.cluster} was dropped`);
      return {};
    },
  };
}
