import { crashLoop } from "../cluster/situation.ts";
import { type ClusterView, type MemberView, titleOf } from "../cluster/view.ts";
import type { Reason } from "./step.ts";

/** What holds for every member with data: started or stopped as wanted, configured. Pure. */
export function running(view: ClusterView, member: MemberView): Reason[] {
  const { record, facts } = member;
  const machine = record.id;
  if (record.wanted === "stopped") {
    return facts.running
      ? [
          {
            step: { do: "stop", machine, mode: "fast" },
            because: `stop ${titleOf(view, member)}: it is wanted stopped`,
          },
        ]
      : [];
  }
  if (!facts.data) return [];
  if (!facts.running) {
    // A leader is tried all the same: where it cannot be started, another member leads.
    if (view.program?.problem !== undefined && machine !== view.cluster.leader) return [];
    if (view.tablespaces.length > 0 && machine !== view.cluster.leader) return [];
    if (loopUntil(member) > view.now) return [];
    const why = record.phase === "creating" ? "its data directory is ready" : "it is wanted started and does not run";
    return [{ step: { do: "start", machine }, because: `start ${titleOf(view, member)}: ${why}` }];
  }
  // Who tidied /run took it away; PostgreSQL makes it when it starts. As long as it answers by an older connection,
  // apps are served: the moment is the user's.
  if (facts.unreachable === true && !facts.answers)
    return [
      {
        step: { do: "restart", machine },
        because: `restart ${titleOf(view, member)}: its unix socket is gone, and it cannot be asked without`,
      },
    ];
  if (!facts.configured)
    return [
      { step: { do: "configure", machine }, because: `configure ${titleOf(view, member)}: its settings changed` },
    ];
  return [];
}

/** A member that crashes again and again is started ever more slowly: milliseconds since the epoch. */
export function loopUntil({ deaths }: MemberView): number {
  const extra = deaths.length - crashLoop;
  return extra < 0 ? 0 : (deaths.at(-1) ?? 0) + Math.min(30_000, 1_000 * 2 ** extra);
}
