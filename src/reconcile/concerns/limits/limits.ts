import { within } from "../../../base/deadline.ts";
import { type Concern, concernOf, type ConcernStep, type Due } from "../../../cluster/concern.ts";
import { limitText, limitUser } from "../../../cluster/leader/connections.ts";
import { ledIn } from "../../../cluster/leader/session.ts";
import type { AttachmentRecord } from "../../../model/records.ts";
import { defaultLimit, limitsOf, type Room, roomFor } from "../../../postgres/sql/connection-limit.ts";
import type { Session } from "../../../postgres/sql/session.ts";

interface LimitStep extends ConcernStep {
  readonly concern: "limit";
  /** A limit is given; the one that the operator has set is noted. */
  readonly what: "give" | "note";
  readonly attachment: AttachmentRecord;
  readonly limit: number;
}

interface LimitFacts {
  room: Room;
  /** Those that wait for a limit, with what is so with each of their logins. */
  waiting: { attachment: AttachmentRecord; logins: Awaited<ReturnType<typeof limitsOf>> }[];
}

/** So long the leader is waited for; else it is asked at the next look. Milliseconds. */
const patienceMs = 2_000;

/**
 * Attachments from before there were limits get the default, at a moment when they use half of it at most, so that no
 * connection is refused because of it. Until then they have none. A limit that the operator has set stays.
 */
const limits: Concern<LimitStep, LimitFacts | undefined> = {
  name: "limit",
  async observe({ state }, cluster, leader) {
    const waiting = (await state.attachments.list({ cluster: cluster.app })).filter(
      ({ phase, connectionLimit, superuser }) => phase === "ready" && connectionLimit === undefined && !superuser,
    );
    if (leader === undefined || waiting.length === 0) return undefined;
    // Asked again at the next look.
    return within(patienceMs, ask(leader, waiting)).catch(() => undefined);
  },
  plan: ({ cluster }, facts) =>
    (facts?.waiting ?? []).flatMap(({ attachment, logins }): Due<LimitStep>[] => {
      const { app, user, variable, pooled } = attachment;
      const role = logins.find((one) => one.role === user);
      if (facts === undefined || role === undefined || role.superuser) return [];
      const step = { do: "concern", concern: "limit", thing: `${app} ${variable}`, attachment } as const;
      if (role.limit >= 0)
        return [
          {
            step: { ...step, what: "note", limit: role.limit },
            because: `keep the connection limit of user ${user} of ${cluster.app}: it was set by hand`,
          },
        ];
      const limit = defaultLimit(facts.room, pooled === true ? cluster.pool?.size : 0);
      if (Math.max(...logins.map(({ taken }) => taken)) > limit / 2) return [];
      return [
        {
          step: { ...step, what: "give", limit },
          because: `limit the connections of user ${user} of ${cluster.app}: ${app} was attached before there were limits`,
        },
      ];
    }),
  async apply({ what, attachment, limit }, context, view) {
    const { app, cluster, user } = attachment;
    if (what === "give") {
      await limitUser(context, ledIn(view), user, limit);
      context.say(
        cluster,
        `${app} may have ${limitText(limit)} to ${cluster}; change it with: perch postgres attach ${cluster} -a ${app} --connection-limit N`,
      );
    }
    await context.state.attachments.update(attachment, (now) =>
      now.connectionLimit === undefined ? { ...now, connectionLimit: limit } : now,
    );
  },
  undo: () => Promise.resolve(false),
};
export const limitConcern = concernOf(limits);

async function ask(leader: Session, waiting: readonly AttachmentRecord[]): Promise<LimitFacts> {
  const room = await roomFor(leader);
  const found: LimitFacts["waiting"] = [];
  for (const attachment of waiting) {
    const { user, login } = attachment;
    found.push({ attachment, logins: await limitsOf(leader, login === undefined ? [user] : [user, login]) });
  }
  return { room, waiting: found };
}
