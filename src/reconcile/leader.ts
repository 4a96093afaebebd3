import type { Verdict } from "../cluster/situation.ts";
import { type ClusterView, leads, type MemberView, titleOf } from "../cluster/view.ts";
import { isRepairable } from "../postgres/sql/own-roles.ts";
import { running } from "./running.ts";
import type { Reason } from "./step.ts";

/** What the leader needs, up to the point from which it is treated as any member. The engine decides who. Pure. */
export function forLeader(view: ClusterView, leader: MemberView, verdict: Verdict): Reason[] {
  const { record, facts } = leader;
  const machine = record.id;
  if (verdict.do === "resume" || verdict.do === "restart")
    return [
      { step: { do: verdict.do, machine }, because: `${verdict.do} ${titleOf(view, leader)}: ${verdict.because}` },
    ];
  if (facts.former && leads(leader))
    return [
      {
        step: { do: "discard", machine },
        because: `remove the former data of ${titleOf(view, leader)}: it leads with its new copy`,
      },
    ];
  if (record.phase === "creating") {
    if (!facts.data)
      return [{ step: { do: "initialise", machine }, because: `make ${titleOf(view, leader)}: it was asked for` }];
    if (leads(leader))
      return [
        { step: { do: "accept", machine }, because: `${titleOf(view, leader)} is ready: it takes reads and writes` },
      ];
  }
  if (facts.refused !== undefined && facts.recovering === false && isRepairable(facts.refused.state))
    return [
      {
        step: { do: "restore-roles", machine },
        because: `put Perch's own roles right on ${titleOf(view, leader)}: ${facts.refused.why}`,
      },
    ];
  return running(view, leader);
}
