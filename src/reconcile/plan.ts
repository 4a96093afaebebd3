/**
 * plan(view) → steps: what to do next so that a cluster becomes what was asked for, with the reason in one sentence.
 * Pure. Nothing is planned for what has a step under way or must wait after a failure; what depends on another step
 * waits for the pass after it.
 */
import { counted } from "../base/count.ts";
import type { AnyConcern } from "../cluster/concern.ts";
import { type ClusterView, leaderOf, leads, replicasOf, titleOf, type Trouble } from "../cluster/view.ts";
import { atRest } from "./at-rest.ts";
import { namesWanted } from "./commit-patience.ts";
import { forLeader } from "./leader.ts";
import { forReplica } from "./replicas.ts";
import { running } from "./running.ts";
import { forSlots } from "./slots.ts";
import { permitted } from "./spare.ts";
import { type Plan, type Reason, type Step, touches } from "./step.ts";

/** What a cluster has beside its members each concern plans for itself. */
type Planning = Pick<AnyConcern, "name" | "plan" | "clear">;

export function plan(view: ClusterView, concerns: readonly Planning[] = []): Plan {
  const reasons = view.cluster.phase === "destroying" ? destroying(view, concerns) : living(view, concerns);
  const free = permitted(
    view,
    reasons.filter(({ step }) => !blocked(view, step)),
  );
  // One step a thing: what else is to be done with it waits for the next pass.
  const due = free.filter(
    ({ step }, index) => free.findIndex((other) => touches(other.step) === touches(step)) === index,
  );
  if (due.length === 0) return { sentence: atRest(view), steps: [] };
  return { sentence: `${due.map((reason) => reason.because).join("; ")}.`, steps: due.map((reason) => reason.step) };
}

const seen = (view: ClusterView, concerns: readonly Planning[]): Planning[] =>
  concerns.filter(({ name }) => !view.unseen.has(name));

function destroying(view: ClusterView, concerns: readonly Planning[]): Reason[] {
  const first = seen(view, concerns).flatMap((one) => one.clear?.(view, view.found.get(one.name)) ?? []);
  // What of one that was not looked at is still to end is not known: the members wait.
  if (first.length > 0 || view.unseen.size > 0) return first;
  if (view.members.length === 0)
    return [{ step: { do: "forget" }, because: `forget ${view.cluster.app}: no member of it is left` }];
  return view.members.map((member) =>
    member.facts.running
      ? {
          step: { do: "stop", machine: member.record.id, mode: "immediate" },
          because: `stop ${titleOf(view, member)}: the cluster is being destroyed`,
        }
      : {
          step: { do: "remove", machine: member.record.id },
          because: `remove ${titleOf(view, member)} and its data: the cluster is being destroyed`,
        },
  );
}

function living(view: ClusterView, concerns: readonly Planning[]): Reason[] {
  // Until a change of leader is through, nothing else is begun.
  if (view.busy === "lead") return [];
  const { verdict } = view;
  if (verdict.do === "change")
    return [
      {
        step: { do: "lead", change: verdict.change },
        because: `${verdict.change.kind} of ${view.cluster.app}: ${verdict.because}`,
      },
    ];
  if (verdict.do === "withdraw")
    return [{ step: { do: "withdraw" }, because: `no change of leader: ${verdict.because}` }];
  const leader = leaderOf(view);
  const led = leader !== undefined && leads(leader);
  return [
    ...takingBack(view),
    ...(leader === undefined ? [] : forLeader(view, leader, verdict)),
    // One that could not be asked tells nothing of who streams.
    ...(led && view.slots !== undefined ? [...forSlots(view), ...commits(view)] : []),
    ...replicasOf(view).flatMap((replica) => forReplica(view, replica) ?? running(view, replica)),
    ...seen(view, concerns).flatMap((one) => one.plan(view, view.found.get(one.name))),
    ...opening(view),
  ];
}

/** A perchd that ended half-way through had it started with the settings from before. */
function takingBack({ cluster, members }: ClusterView): Reason[] {
  const refused = cluster.settingsBefore?.refused;
  const member = members.find(({ record }) => record.id === refused?.machine);
  if (refused === undefined || (member !== undefined && (!member.facts.running || member.busy !== undefined)))
    return [];
  return [
    {
      step: { do: "take-back" },
      because: `take the last change of settings back: machine ${refused.machine} did not start with it`,
    },
  ];
}

function commits(view: ClusterView): Reason[] {
  const names = namesWanted(view);
  if (names === undefined) return [];
  const because =
    names.length === 0
      ? "acknowledge commits by the leader alone: no replica of its region streams"
      : `acknowledge a commit when ${names.join(" or ")} has it, too`;
  return [{ step: { do: "synchronise", names }, because }];
}

function opening(view: ClusterView): Reason[] {
  const ready =
    view.cluster.phase === "creating" &&
    view.members.length > 0 &&
    view.members.every((member) => member.record.phase === "ready");
  return ready
    ? [
        {
          step: { do: "open" },
          because: `cluster ${view.cluster.app} is ready with ${counted(view.members.length, "member")}`,
        },
      ]
    : [];
}

function blocked(view: ClusterView, step: Step): boolean {
  const thing = thingOf(view, step);
  if (thing === undefined) return true;
  if (thing.busy !== undefined) return true;
  if (thing.trouble === undefined || thing.trouble.until <= view.now) return false;
  // A slot that cannot be made keeps no other member from leading.
  return touches(step) !== "cluster" || thing.trouble.step === step.do;
}

function thingOf(
  view: ClusterView,
  step: Step,
): { busy: string | undefined; trouble: Trouble | undefined } | undefined {
  if (step.do === "concern") return view.things.get(touches(step)) ?? { busy: undefined, trouble: undefined };
  if (touches(step) === "cluster") return view;
  return "machine" in step ? view.members.find((member) => member.record.id === step.machine) : undefined;
}
