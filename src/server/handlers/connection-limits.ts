import { counted } from "../../base/count.ts";
import { fail } from "../../errors/error.ts";
import type { AttachmentRecord } from "../../model/records.ts";
import { defaultLimit, limitConnections, limitsOf, roomFor } from "../../postgres/sql/connection-limit.ts";
import { memberOf, passwordsOf } from "../../cluster/context.ts";
import { leaderOf, leads } from "../../cluster/view.ts";
import { requireApp } from "./apps.ts";
import { chooseAttachment } from "./attachments.ts";
import { requireLeader } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { changing } from "./leader.ts";

/**
 * Changes how many connections the role of an attachment may have; the second login of a role follows it within seconds
 * (`makeAlike`).
 */
export function limitHandlers(deps: Deps): Pick<Handlers, "limitAttachment"> {
  return {
    async limitAttachment({ params, body }) {
      const app = await requireApp(deps, body.app);
      const { record: cluster } = await requireLeader(deps, params.cluster);
      const found = (await deps.state.attachments.list({ cluster: cluster.app, app: app.name })).filter(
        ({ phase, variable }) => phase === "ready" && (body.variable === undefined || variable === body.variable),
      );
      const record = chooseAttachment(found, app.name, cluster.app);
      await changing(deps, cluster.app, (session) => limitConnections(session, record.user, body.connectionLimit));
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

const limitText = (limit: number): string =>
  limit < 0 ? "any number of connections" : `${counted(limit, "connection")} at a time`;

/**
 * Attachments from before there were limits get the default, at a moment when they use half of it at most, so that no
 * connection is refused because of it. Until then they have none. A limit that the operator has set stays.
 */
export async function giveLimits(deps: Deps): Promise<void> {
  const waiting = (await deps.state.attachments.list()).filter(
    (one) => one.phase === "ready" && one.connectionLimit === undefined && !one.superuser,
  );
  for (const cluster of new Set(waiting.map((one) => one.cluster)))
    await giveIn(
      deps,
      cluster,
      waiting.filter((one) => one.cluster === cluster),
    ).catch((error: unknown) => deps.log.warn({ err: error }, "connection limits could not be given"));
}

async function giveIn(deps: Deps, name: string, waiting: readonly AttachmentRecord[]): Promise<void> {
  const view = deps.clusters.find(name)?.view();
  const leader = view && leaderOf(view);
  if (view === undefined || leader === undefined || !leads(leader)) return;
  const { perch } = await passwordsOf(deps, name);
  const session = await deps.context.monitors.session(memberOf(deps, view.cluster, leader.record), perch);
  if (session === undefined) return;
  const room = await roomFor(session);
  for (const attachment of waiting) {
    const logins = [attachment.user, ...(attachment.login === undefined ? [] : [attachment.login])];
    const limits = await limitsOf(session, logins);
    const role = limits.find((one) => one.role === attachment.user);
    if (role === undefined || role.superuser) continue;
    const limit =
      role.limit >= 0 ? role.limit : defaultLimit(room, attachment.pooled === true ? view.cluster.pool?.size : 0);
    if (role.limit < 0) {
      if (Math.max(...limits.map(({ taken }) => taken)) > limit / 2) continue;
      await changing(deps, name, (own) => limitConnections(own, attachment.user, limit));
      await deps.events.append(
        name,
        `${attachment.app} may have ${limitText(limit)} to ${name}; change it with: perch postgres attach ${name} -a ${attachment.app} --connection-limit N`,
      );
    }
    await deps.state.attachments.update(attachment, (now) =>
      now.connectionLimit === undefined ? { ...now, connectionLimit: limit } : now,
    );
  }
}
