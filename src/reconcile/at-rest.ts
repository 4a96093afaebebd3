import { type ClusterView, titleOf } from "../cluster/view.ts";
import { loopUntil } from "./running.ts";

/** How things stand when there is nothing to do. Pure. */
export function atRest(view: ClusterView): string {
  if (view.busy === "lead") return `${view.cluster.app} changes its leader.`;
  const { verdict } = view;
  if (verdict.do === "stand") return `${view.cluster.app} has no leader: ${verdict.because}.`;
  if (view.program?.problem !== undefined && view.members.some(({ facts }) => facts.data && !facts.running))
    return `${view.cluster.app} cannot start all of its members: ${view.program.problem}.`;
  const troubled = view.members.find((member) => member.trouble !== undefined);
  if (troubled?.trouble !== undefined)
    return `${titleOf(view, troubled)} waits before the next attempt: ${troubled.trouble.why}.`;
  const crashing = view.members.find((member) => !member.facts.running && loopUntil(member) > view.now);
  if (crashing !== undefined)
    return `${titleOf(view, crashing)} died ${crashing.deaths.length} times within a minute and waits before the next start.`;
  const gone = view.members.find(
    (member) => !member.facts.data && member.busy === undefined && member.record.phase === "ready",
  );
  if (gone !== undefined) return `${titleOf(view, gone)} has no data directory any more.`;
  const started = view.members.filter((member) => member.facts.answers).length;
  return `${view.cluster.app} is as wanted: ${started} of ${view.members.length} members run.`;
}
