import { steadyNow } from "../../base/clock.ts";
import { ask } from "../../base/deadline.ts";
import { counted } from "../../base/count.ts";
import { fail } from "../../errors/error.ts";
import { isServed } from "../../reconcile/concerns/certificates/plan.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";

const certifiedMs = 60_000;

/**
 * The network's authority. A rotation restarts nothing: each server reads its new certificate, and connections that are
 * open stay.
 */
export function certificateHandlers(deps: Deps): Pick<Handlers, "authority" | "rotateAuthority"> {
  const { context, clusters, events, remote } = deps;
  /** Those that answer, as seen since; undefined until every cluster was looked at. */
  const seenSince = (since: number) => {
    const views = clusters.views() ?? [];
    return views.every(({ now }) => now > since)
      ? views.flatMap((view) =>
          view.members
            .filter(({ facts }) => facts.answers)
            .map((member) => ({ id: member.record.id, served: isServed(view, member) })),
        )
      : undefined;
  };
  return {
    authority: () => Promise.resolve({ pem: context.authority.certificate }),

    async rotateAuthority({ body }, call) {
      call.progress(
        body.root ? "Replacing the root and the authority below it" : "Replacing the authority below the root",
      );
      await context.authority.rotate(body);
      await events.append(
        "network",
        `the ${body.root ? "root of the network's certificates" : "authority that signs certificates"} was replaced`,
      );
      const since = steadyNow();
      await remote.keep();
      for (const view of clusters.views() ?? []) clusters.find(view.cluster.app)?.wake();
      call.progress("Certifying every member again");
      const certified = () => {
        const members = seenSince(since);
        return members?.every(({ served }) => served) === true ? members : undefined;
      };
      const all = await ask(certified, { everyMs: 50, withinMs: certifiedMs, signal: call.signal });
      if (all === undefined) {
        const left = (seenSince(0) ?? []).filter(({ served }) => !served);
        const who = left.map(({ id }) => id).join(", ");
        throw fail("certificates_late", {
          count: counted(left.length, "member"),
          members: who,
          seconds: certifiedMs / 1000,
        });
      }
      return { pem: context.authority.certificate, members: all.length };
    },
  };
}
