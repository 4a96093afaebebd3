import { suspendedMs } from "../cluster/situation.ts";
import { slotOf } from "../postgres/replication/replication.ts";
import type { Reason } from "./step.ts";
import { type ClusterView, leads, type MemberView, leaderOf, titleOf } from "../cluster/view.ts";

/** What a replica needs to follow its leader, up to the point from which it is treated as any member. Pure. */
export function forReplica(view: ClusterView, replica: MemberView): Reason | undefined {
  const title = titleOf(view, replica);
  const { record, facts } = replica;
  const machine = record.id;
  const leader = leaderOf(view);
  const led = leader !== undefined && leads(leader);
  if (record.phase === "destroying") {
    return facts.running
      ? { step: { do: "stop", machine, mode: "fast" }, because: `stop ${title}: it is being destroyed` }
      : { step: { do: "remove", machine }, because: `remove ${title} and its data: it is being destroyed` };
  }
  if (view.tablespaces.length > 0) {
    // At once: an orderly stop would first write what it replayed into the leader's own files.
    const why = `tablespace ${view.tablespaces.join(", ")} lies outside of the data directory, where both would write the same files`;
    return facts.running && record.wanted === "started"
      ? { step: { do: "stop", machine, mode: "immediate" }, because: `stop ${title}: ${why}` }
      : undefined;
  }
  if (facts.copied && (record.wanted === "started" || !facts.data))
    return {
      step: { do: "swap", machine },
      because: `put the new copy of ${title} in place: it is whole, and what it replaces is kept`,
    };
  if (!facts.data) {
    if (facts.running)
      return { step: { do: "stop", machine, mode: "immediate" }, because: `stop ${title}: its data directory is gone` };
    if (
      !led ||
      view.program?.problem !== undefined ||
      view.slots?.includes(slotOf(machine)) !== true ||
      view.lostSlots.includes(slotOf(machine))
    )
      return undefined;
    const why =
      record.phase === "creating" ? "it was asked for" : "its data directory is gone, and the leader has everything";
    return { step: { do: "copy", machine }, because: `copy the leader to ${title}: ${why}` };
  }
  if (led && facts.former && facts.streaming)
    return { step: { do: "discard", machine }, because: `remove the former data of ${title}: its new copy streams` };
  const unfit = led && record.wanted === "started" ? whyUnfit(view, replica) : undefined;
  if (unfit !== undefined)
    return { step: { do: unfit.step, machine }, because: `${unfit.says} ${title}: ${unfit.why}` };
  if (record.phase === "creating" && facts.streaming)
    return { step: { do: "accept", machine }, because: `${title} is ready: it streams from the leader` };
  if (led && facts.answers && facts.ownSlots.length > 0)
    return {
      step: { do: "unslot", machine, drop: facts.ownSlots },
      because: `drop slot ${facts.ownSlots.join(", ")} of ${title}: it is from when that led`,
    };
  return undefined;
}

/** A replica finds its leader within a second; what has not in this time, and does not say why, is restarted. */
const strandedMs = 30_000;
/** What is gone is gone; a change of leader a moment ago is let pass. */
const goneMs = 5_000;
const reconnectEveryMs = 300_000;
/**
 * What was rewound a moment ago and does not stream may have another reason: it is not rewound again before that was
 * looked for.
 */
const rewindEveryMs = 30_000;

type Unfit = { step: "copy" | "rewind" | "resume" | "reconnect" | "restart"; says: string; why: string };

/** What keeps a replica from following the leader. */
function whyUnfit(view: ClusterView, { record, facts, since }: MemberView): Unfit | undefined {
  const { apart } = facts;
  // None of it can be done, and what runs must go on: `notices.ts` says what is the matter.
  if (view.program?.problem !== undefined) return undefined;
  const copy = (why: string): Unfit => ({ step: "copy", says: "copy the leader to", why });
  if (!facts.running) {
    if (apart?.fit?.fit === "unfit") return copy(`it cannot follow as it is, ${apart.fit.because}`);
    if (apart?.fit?.fit === "parted")
      return { step: "rewind", says: "rewind", why: "it led, and may have WAL that the leader never had" };
    return undefined;
  }
  if (facts.recovering === false)
    return { step: "rewind", says: "rewind", why: "it was promoted by somebody else, and there is another leader" };
  if (since.suspended !== undefined && view.now - since.suspended >= suspendedMs)
    return {
      step: "resume",
      says: "resume",
      why: `a signal stopped it ${suspendedMs / 1000} s ago, and it did not go on`,
    };
  if (facts.paused?.short !== undefined)
    return { step: "restart", says: "restart", why: `its replay is paused, for ${facts.paused.short}` };
  const stranded = since.stranded === undefined ? 0 : view.now - since.stranded;
  const rewound = since.rewound !== undefined && view.now - since.rewound < rewindEveryMs;
  if (facts.diverged && stranded >= 1_000 && !rewound)
    return { step: "rewind", says: "rewind", why: "it has WAL that the leader never had" };
  if (apart?.walGone === true && stranded >= goneMs && facts.answers)
    return copy("it fell so far behind that the WAL it needs is gone, on the leader, too");
  const silent = facts.answers || (since.silent !== undefined && view.now - since.silent >= strandedMs);
  const lately = since.reconnected !== undefined && view.now - since.reconnected < reconnectEveryMs;
  if (stranded >= strandedMs && silent && !lately && apart?.why === undefined && record.phase === "ready")
    return {
      step: "reconnect",
      says: "restart",
      why: `it does not stream for ${strandedMs / 1000} s, and its log does not say why`,
    };
  return undefined;
}
