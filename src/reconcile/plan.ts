/**
 * plan(view) → steps: what to do next so that a cluster becomes what was asked for, with the reason in one sentence.
 * Pure. Nothing is planned for what has a step under way or must wait after a failure; what depends on another step
 * waits for the pass after it.
 */
import { counted } from "../base/count.ts";
import type { Verdict } from "../cluster/situation.ts";
import { isRepairable } from "../postgres/sql/own-roles.ts";
import { slotOf } from "../postgres/replication/replication.ts";
import type { AnyConcern } from "../cluster/concern.ts";
import { type Plan, type Step, touches } from "./step.ts";
import { namesWanted } from "./commit-patience.ts";
import { forReplica } from "./replicas.ts";
import { permitted } from "./spare.ts";
import { crashLoop } from "../cluster/situation.ts";
import { type ClusterView, leaderOf, leads, type MemberView, replicasOf, type Trouble } from "../cluster/view.ts";

interface Reason {
  step: Step;
  because: string;
}

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
  if (due.length === 0) return { sentence: standing(view), steps: [] };
  return { sentence: `${due.map((reason) => reason.because).join("; ")}.`, steps: due.map((reason) => reason.step) };
}

const title = (view: ClusterView, member: MemberView): string =>
  `${member.record.id === view.cluster.leader ? "the leader" : "the replica"} ${member.record.id} in ${member.record.region}`;

function destroying(view: ClusterView, concerns: readonly Planning[]): Reason[] {
  const first = concerns.flatMap((one) => one.clear?.(view, view.found.get(one.name)) ?? []);
  if (first.length > 0) return first;
  if (view.members.length === 0)
    return [{ step: { do: "forget" }, because: `forget ${view.cluster.app}: no member of it is left` }];
  return view.members.map((member) =>
    member.facts.running
      ? {
          step: { do: "stop", machine: member.record.id, mode: "immediate" },
          because: `stop ${title(view, member)}: the cluster is being destroyed`,
        }
      : {
          step: { do: "remove", machine: member.record.id },
          because: `remove ${title(view, member)} and its data: the cluster is being destroyed`,
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
    ...replicasOf(view).flatMap((replica) => forReplica(view, replica, title(view, replica)) ?? running(view, replica)),
    ...concerns.flatMap((one) => one.plan(view, view.found.get(one.name))),
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

function forLeader(view: ClusterView, leader: MemberView, verdict: Verdict): Reason[] {
  const { record, facts } = leader;
  const machine = record.id;
  if (verdict.do === "resume" || verdict.do === "restart")
    return [{ step: { do: verdict.do, machine }, because: `${verdict.do} ${title(view, leader)}: ${verdict.because}` }];
  if (facts.former && leads(leader))
    return [
      {
        step: { do: "discard", machine },
        because: `remove the former data of ${title(view, leader)}: it leads with its new copy`,
      },
    ];
  if (record.phase === "creating") {
    if (!facts.data)
      return [{ step: { do: "initialise", machine }, because: `make ${title(view, leader)}: it was asked for` }];
    if (leads(leader))
      return [
        { step: { do: "accept", machine }, because: `${title(view, leader)} is ready: it takes reads and writes` },
      ];
  }
  if (facts.refused !== undefined && facts.recovering === false && isRepairable(facts.refused.state))
    return [
      {
        step: { do: "restore-roles", machine },
        because: `put Perch's own roles right on ${title(view, leader)}: ${facts.refused.why}`,
      },
    ];
  return running(view, leader);
}

/** What holds for every member with data: started or stopped as wanted, restarted where asked, configured. */
function running(view: ClusterView, member: MemberView): Reason[] {
  const { record, facts } = member;
  const machine = record.id;
  if (record.wanted === "stopped") {
    return facts.running
      ? [{ step: { do: "stop", machine, mode: "fast" }, because: `stop ${title(view, member)}: it is wanted stopped` }]
      : [];
  }
  if (!facts.data) return [];
  if (!facts.running) {
    // A leader is tried all the same: where it cannot be started, another member leads.
    if (view.program?.problem !== undefined && machine !== view.cluster.leader) return [];
    if (view.tablespaces.length > 0 && machine !== view.cluster.leader) return [];
    if (loopUntil(member) > view.now) return [];
    const why = record.phase === "creating" ? "its data directory is ready" : "it is wanted started and does not run";
    return [{ step: { do: "start", machine }, because: `start ${title(view, member)}: ${why}` }];
  }
  // Who tidied /run took it away; PostgreSQL makes it when it starts. As long as it answers by an older connection,
  // apps are served: the moment is the user's.
  if (facts.unreachable === true && !facts.answers)
    return [
      {
        step: { do: "restart", machine },
        because: `restart ${title(view, member)}: its unix socket is gone, and it cannot be asked without`,
      },
    ];
  if (member.restart)
    return [{ step: { do: "restart", machine }, because: `restart ${title(view, member)}: it was asked for` }];
  if (!facts.configured)
    return [{ step: { do: "configure", machine }, because: `configure ${title(view, member)}: its settings changed` }];
  if (!facts.certified)
    return [
      { step: { do: "configure", machine }, because: `certify ${title(view, member)}: another certificate is due` },
    ];
  return [];
}

/** A member that crashes again and again is started ever more slowly: milliseconds since the epoch. */
function loopUntil({ deaths }: MemberView): number {
  const extra = deaths.length - crashLoop;
  return extra < 0 ? 0 : (deaths.at(-1) ?? 0) + Math.min(30_000, 1_000 * 2 ** extra);
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

/** A slot for every replica there is and for none that is not: a removed member must not pin the leader's WAL. */
function forSlots(view: ClusterView): Reason[] {
  if (view.slots === undefined) return [];
  const replicas = replicasOf(view);
  const kept = replicas
    .filter((replica) => replica.record.phase !== "destroying" || replica.facts.running)
    .map((replica) => slotOf(replica.record.id));
  const missing = kept.filter((slot) => view.slots?.includes(slot) === false);
  // Of one that is stopped it would be given up again, and again.
  const back = new Set(
    replicas.filter(({ record }) => record.wanted === "started").map(({ record }) => slotOf(record.id)),
  );
  const lost = view.lostSlots.filter((slot) => kept.includes(slot) && back.has(slot));
  const stale = view.slots.filter((slot) => !kept.includes(slot));
  const [create, drop] = [
    [...missing, ...lost],
    [...stale, ...lost],
  ];
  if (create.length + drop.length === 0) return [];
  const parts = [
    missing.length > 0 ? `make slot ${missing.join(", ")}: a replica will stream from it` : "",
    lost.length > 0
      ? `make slot ${lost.join(", ")} again: it was given up, and its replica may still find what it needs`
      : "",
    stale.length > 0 ? `drop slot ${stale.join(", ")}: its replica is gone` : "",
  ];
  return [{ step: { do: "slots", create, drop }, because: parts.filter((part) => part !== "").join("; ") }];
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

/** How things stand when there is nothing to do. */
function standing(view: ClusterView): string {
  if (view.busy === "lead") return `${view.cluster.app} changes its leader.`;
  const { verdict } = view;
  if (verdict.do === "stand") return `${view.cluster.app} has no leader: ${verdict.because}.`;
  if (view.program?.problem !== undefined && view.members.some(({ facts }) => facts.data && !facts.running))
    return `${view.cluster.app} cannot start all of its members: ${view.program.problem}.`;
  const troubled = view.members.find((member) => member.trouble !== undefined);
  if (troubled?.trouble !== undefined)
    return `${title(view, troubled)} waits before the next attempt: ${troubled.trouble.why}.`;
  const crashing = view.members.find((member) => !member.facts.running && loopUntil(member) > view.now);
  if (crashing !== undefined)
    return `${title(view, crashing)} died ${crashing.deaths.length} times within a minute and waits before the next start.`;
  const gone = view.members.find(
    (member) => !member.facts.data && member.busy === undefined && member.record.phase === "ready",
  );
  if (gone !== undefined) return `${title(view, gone)} has no data directory any more.`;
  const started = view.members.filter((member) => member.facts.answers).length;
  return `${view.cluster.app} is as wanted: ${started} of ${view.members.length} members run.`;
}
