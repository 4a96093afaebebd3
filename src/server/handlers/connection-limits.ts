import { fail } from "../../errors/error.ts";
import { limitText, limitUser } from "../../cluster/leader/connections.ts";
import { requireApp } from "./apps.ts";
import { chooseAttachment } from "./attachments.ts";
import { requireLeader } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";

/**
 * Changes how many connections the role of an attachment may have; the second login of a role follows it within seconds
 * (`makeAlike`).
 */
export function limitHandlers(deps: Deps): Pick<Handlers, "limitAttachment"> {
  return {
    async limitAttachment({ params, body }) {
      const app = await requireApp(deps, body.app);
      const led = await requireLeader(deps, params.cluster);
      const { record: cluster } = led;
      const found = (await deps.state.attachments.list({ cluster: cluster.app, app: app.name })).filter(
        ({ phase, variable }) => phase === "ready" && (body.variable === undefined || variable === body.variable),
      );
      const record = chooseAttachment(found, app.name, cluster.app);
      await limitUser(deps.context, led, record.user, body.connectionLimit);
      const now = await deps.state.attachments.update(record, (current) => ({
        ...current,
        connectionLimit: body.connectionLimit,
      }));
      if (now === undefined) throw fail("no_attachments", { app: app.name, cluster: cluster.app });
      await deps.events.append(
        cluster.app,
        `${app.name} may have ${limitText(body.connectionLimit)} to ${cluster.app}, as user ${record.user}`,
      );
      return { connectionLimit: body.connectionLimit };
    },
  };
}
