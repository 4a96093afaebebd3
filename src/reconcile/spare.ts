import type { Step } from "./step.ts";
import { type ClusterView, leaderOf, leads, type MemberView } from "../cluster/view.ts";

/**
 * The invariant that every plan is checked against before anything of it is begun: what removes, replaces or overwrites
 * a data directory is done only while another member has everything, and to one member at a time.
 * `postgres/data-removal.ts` asks for a proof of it once more when it is done. Pure.
 */
export function permitted<R extends { step: Step }>(view: ClusterView, reasons: readonly R[]): R[] {
  if (view.cluster.phase === "destroying") return [...reasons];
  const leader = leaderOf(view);
  let taken = view.members.find((member) => destructive.has(member.busy ?? ""))?.record.id;
  return reasons.filter(({ step }) => {
    const member = "machine" in step ? view.members.find(({ record }) => record.id === step.machine) : undefined;
    if (member === undefined || !takesData(step, member)) return true;
    if (member === leader && step.do !== "discard") return false;
    if (taken !== undefined && taken !== member.record.id) return false;
    if (!isSpare(view, step, member, leader)) return false;
    taken = member.record.id;
    return true;
  });
}

const destructive: ReadonlySet<string> = new Set<Step["do"]>(["rewind", "swap", "discard", "remove"]);

/** Whether the step takes data away, or ends the server that runs on it in order to. */
export function takesData(step: Step, { facts }: MemberView): boolean {
  if (step.do === "remove" || step.do === "swap" || step.do === "copy") return facts.data;
  return destructive.has(step.do);
}

function isSpare(view: ClusterView, step: Step, member: MemberView, leader: MemberView | undefined): boolean {
  // Its user asked for it; the cluster's last data goes only with the cluster.
  if (step.do === "remove") return view.members.some((other) => other !== member && other.facts.data);
  if (leader === undefined || !leads(leader)) return false;
  // Another replica's is being replaced: it comes first.
  return (
    step.do === "discard" || step.do === "swap" || !view.members.some((other) => other !== member && replacing(other))
  );
}

const replacing = ({ record, facts, busy }: MemberView): boolean =>
  record.phase === "ready" &&
  record.wanted === "started" &&
  ((facts.data && busy === "copy") || facts.copied || facts.former);
