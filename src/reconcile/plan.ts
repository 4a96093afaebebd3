/**
 * plan(view) → steps: what to do next so that a cluster becomes what was asked for, with the reason in one sentence. Pure. Nothing is planned for what
 * has a step under way or must wait after a failure; what depends on another step waits for the pass after it.
 */
import { counted } from "../base/count.ts";
import { slotOf } from "../postgres/replication.ts";
import { attachmentKey, type Plan, type Step, touches } from "./step.ts";
import { type ClusterView, leaderOf, leads, type MemberView, replicasOf, type Trouble } from "./view.ts";

interface Reason {
  step: Step;
  because: string;
}

export function plan(view: ClusterView): Plan {
  const reasons = view.cluster.phase === "destroying" ? destroying(view) : living(view);
  const free = reasons.filter(({ step }) => !blocked(view, step));
  // One step a thing: what else is to be done with it waits for the next pass.
  const due = free.filter(({ step }, index) => free.findIndex((other) => touches(other.step) === touches(step)) === index);
  if (due.length === 0) return { sentence: standing(view), steps: [] };
  return { sentence: `${due.map((reason) => reason.because).join("; ")}.`, steps: due.map((reason) => reason.step) };
}

const title = (view: ClusterView, member: MemberView): string =>
  `${member.record.id === view.cluster.leader ? "the leader" : "the replica"} ${member.record.id} in ${member.record.region}`;

function destroying(view: ClusterView): Reason[] {
  if (view.members.length === 0) return [{ step: { do: "forget" }, because: `forget ${view.cluster.app}: no member of it is left` }];
  return view.members.map((member) =>
    member.facts.running
      ? { step: { do: "stop", machine: member.record.id, mode: "immediate" }, because: `stop ${title(view, member)}: the cluster is being destroyed` }
      : { step: { do: "remove", machine: member.record.id }, because: `remove ${title(view, member)} and its data: the cluster is being destroyed` },
  );
}

function living(view: ClusterView): Reason[] {
  const leader = leaderOf(view);
  const led = leader !== undefined && leads(leader);
  return [
    ...(leader === undefined ? [] : forLeader(view, leader)),
    ...(led ? forSlots(view) : []),
    ...replicasOf(view).flatMap((replica) => forReplica(view, replica, led)),
    ...(led ? forAttachments(view) : []),
    ...opening(view),
  ];
}

function forLeader(view: ClusterView, leader: MemberView): Reason[] {
  const { record, facts } = leader;
  const machine = record.id;
  if (record.phase === "creating") {
    if (!facts.data) return [{ step: { do: "initialise", machine }, because: `make ${title(view, leader)}: it was asked for` }];
    if (leads(leader)) return [{ step: { do: "accept", machine }, because: `${title(view, leader)} is ready: it takes reads and writes` }];
  }
  return running(view, leader);
}

function forReplica(view: ClusterView, replica: MemberView, led: boolean): Reason[] {
  const { record, facts } = replica;
  const machine = record.id;
  if (record.phase === "destroying") {
    return facts.running
      ? [{ step: { do: "stop", machine, mode: "fast" }, because: `stop ${title(view, replica)}: it is being destroyed` }]
      : [{ step: { do: "remove", machine }, because: `remove ${title(view, replica)} and its data: it is being destroyed` }];
  }
  if (!facts.data) {
    if (facts.running)
      return [{ step: { do: "stop", machine, mode: "immediate" }, because: `stop ${title(view, replica)}: its data directory is gone` }];
    if (!led || view.slots?.includes(slotOf(machine)) !== true) return [];
    const why = record.phase === "creating" ? "it was asked for" : "its data directory is gone, and the leader has everything";
    return [{ step: { do: "copy", machine }, because: `copy the leader to ${title(view, replica)}: ${why}` }];
  }
  if (record.phase === "creating" && facts.streaming) {
    return [{ step: { do: "accept", machine }, because: `${title(view, replica)} is ready: it streams from the leader` }];
  }
  return running(view, replica);
}

/** What holds for every member with data: started or stopped as wanted, restarted where asked, configured. */
function running(view: ClusterView, member: MemberView): Reason[] {
  const { record, facts } = member;
  const machine = record.id;
  if (record.wanted === "stopped") {
    return facts.running ? [{ step: { do: "stop", machine, mode: "fast" }, because: `stop ${title(view, member)}: it is wanted stopped` }] : [];
  }
  if (!facts.data) return [];
  if (!facts.running) {
    const why = record.phase === "creating" ? "its data directory is ready" : "it is wanted started and does not run";
    return [{ step: { do: "start", machine }, because: `start ${title(view, member)}: ${why}` }];
  }
  if (member.restart) return [{ step: { do: "restart", machine }, because: `restart ${title(view, member)}: it was asked for` }];
  if (!facts.configured) return [{ step: { do: "configure", machine }, because: `configure ${title(view, member)}: its settings changed` }];
  return [];
}

/** A slot for every replica there is and for none that is not: a removed member must not pin the leader's WAL. */
function forSlots(view: ClusterView): Reason[] {
  if (view.slots === undefined) return [];
  const replicas = replicasOf(view);
  const kept = replicas
    .filter((replica) => replica.record.phase !== "destroying" || replica.facts.running)
    .map((replica) => slotOf(replica.record.id));
  const create = kept.filter((slot) => view.slots?.includes(slot) === false);
  const drop = view.slots.filter((slot) => !kept.includes(slot));
  if (create.length + drop.length === 0) return [];
  const parts = [
    create.length > 0 ? `make slot ${create.join(", ")}: a replica will stream from it` : "",
    drop.length > 0 ? `drop slot ${drop.join(", ")}: its replica is gone` : "",
  ];
  return [{ step: { do: "slots", create, drop }, because: parts.filter((part) => part !== "").join("; ") }];
}

function forAttachments(view: ClusterView): Reason[] {
  return view.attachments.flatMap(({ record }): Reason[] => {
    if (record.phase === "creating") {
      return [
        {
          step: { do: "grant", attachment: record },
          because: `attach ${record.app} to ${record.cluster}: a role, a database and ${record.variable}`,
        },
      ];
    }
    if (record.phase === "destroying") {
      return [
        {
          step: { do: "revoke", attachment: record },
          because: `detach ${record.app} from ${record.cluster}: role ${record.user} and ${record.variable} go`,
        },
      ];
    }
    return [];
  });
}

function opening(view: ClusterView): Reason[] {
  const ready = view.cluster.phase === "creating" && view.members.length > 0 && view.members.every((member) => member.record.phase === "ready");
  return ready ? [{ step: { do: "open" }, because: `cluster ${view.cluster.app} is ready with ${counted(view.members.length, "member")}` }] : [];
}

function blocked(view: ClusterView, step: Step): boolean {
  const thing = thingOf(view, step);
  if (thing === undefined) return true;
  return thing.busy !== undefined || (thing.trouble !== undefined && thing.trouble.until > view.now);
}

function thingOf(view: ClusterView, step: Step): { busy: string | undefined; trouble: Trouble | undefined } | undefined {
  if (step.do === "slots" || step.do === "open" || step.do === "forget") return view;
  if (step.do === "grant" || step.do === "revoke")
    return view.attachments.find(({ record }) => attachmentKey(record) === attachmentKey(step.attachment));
  return view.members.find((member) => member.record.id === step.machine);
}

/** How things stand when there is nothing to do. */
function standing(view: ClusterView): string {
  const troubled = view.members.find((member) => member.trouble !== undefined);
  if (troubled?.trouble !== undefined) return `${title(view, troubled)} waits before the next attempt: ${troubled.trouble.why}.`;
  const gone = view.members.find((member) => !member.facts.data && member.busy === undefined && member.record.phase === "ready");
  if (gone !== undefined) return `${title(view, gone)} has no data directory any more.`;
  const started = view.members.filter((member) => member.facts.answers).length;
  return `${view.cluster.app} is as wanted: ${started} of ${view.members.length} members run.`;
}
