/**
 * The table of cases: what is done about the leader of a cluster whose members all run on this host. Pure. Restarting
 * in place comes first, because it loses nothing; another member is promoted when the leader cannot come back, and only
 * after the old one is known dead.
 */
import { counted } from "../../base/count.ts";
import {
  type Choice,
  crashLoop,
  type Situation,
  type Standing,
  suspendedMs,
  type Verdict,
} from "../../cluster/situation.ts";
import { candidates } from "./candidates.ts";

const silentMs = 15_000;

interface Case {
  when: string;
  holds(at: Situation, leader: Standing): boolean;
  verdict(at: Situation, leader: Standing): Verdict;
}

/** From top to bottom; the first that holds decides. */
export const cases: readonly Case[] = [
  {
    when: "a change of leadership was asked for, or was under way when perchd ended",
    holds: (at) => at.change !== undefined,
    verdict: pending,
  },
  {
    when: "the leader is being made, being destroyed, or stopped by a user",
    holds: (_at, leader) => !leader.ready || !leader.wanted,
    verdict: () => ({ do: "keep" }),
  },
  {
    when: "its data directory is gone",
    holds: (_at, leader) => !leader.data,
    verdict: (at, leader) => failOver(at, leader, "its data directory is gone", "restore it from a copy"),
  },
  {
    when: "its postmaster is dead and it could not be started, or crashed, again and again",
    holds: (_at, leader) => !leader.running && (leader.failures >= crashLoop || leader.deaths.length >= crashLoop),
    verdict: (at, leader) => {
      const why =
        leader.failures >= crashLoop
          ? `it could not be started in ${leader.failures} attempts`
          : `it died ${leader.deaths.length} times within a minute`;
      const decided = failOver(at, leader, why, "");
      return decided.do === "change" ? decided : { do: "start", because: `${why}, and no other member may lead` };
    },
  },
  {
    when: "its postmaster is dead",
    holds: (_at, leader) => !leader.running,
    verdict: () => ({ do: "start", because: "it is wanted started and does not run" }),
  },
  {
    when: "it is stopped by a signal",
    holds: (_at, leader) => leader.suspendedSince !== undefined,
    verdict: (at, leader) =>
      at.now - (leader.suspendedSince ?? at.now) >= suspendedMs
        ? { do: "resume", because: `a signal stopped it ${suspendedMs / 1000} s ago, and it did not go on` }
        : { do: "keep" },
  },
  {
    when: "it runs and does not answer for long, with nothing to recover from",
    holds: (at, leader) => leader.silentSince !== undefined && at.now - leader.silentSince >= silentMs,
    verdict: (_at, { silence }) => ({
      do: "restart",
      because: `it does not answer for ${silentMs / 1000} s${silence === undefined ? "" : ` (${silence})`}`,
    }),
  },
  {
    when: "it runs as a replica: its promotion was cut short",
    holds: (_at, leader) => leader.answers && leader.recovering === true,
    verdict: (_at, leader) => {
      const because = "its promotion was cut short";
      return { do: "change", change: { kind: "failover", from: leader.id, candidates: [leader.id], because }, because };
    },
  },
];

/** What is to be done about who leads, with the reason. */
export function decide(at: Situation): Verdict {
  const leader = at.members.find((member) => member.id === at.leader);
  if (leader === undefined) return { do: "keep" };
  return cases.find((one) => one.holds(at, leader))?.verdict(at, leader) ?? { do: "keep" };
}

function pending(at: Situation, leader: Standing): Verdict {
  const { change } = at;
  const target = at.members.find((member) => member.id === change?.to);
  if (change === undefined || target === undefined || !target.ready || !target.wanted)
    return { do: "withdraw", because: `machine ${change?.to ?? ""} is not there to lead` };
  // A step that began before the wish ends first.
  if (leader.busy || target.busy) return { do: "keep" };
  if (!target.answers && !target.running) return { do: "withdraw", because: `machine ${target.id} does not run` };
  return {
    do: "change",
    change: { kind: change.kind, from: leader.id, candidates: [target.id], because: change.because },
    because: change.because,
  };
}

function failOver(at: Situation, leader: Standing, why: string, hint: string): Verdict {
  const choice: Choice = candidates(at);
  if (leader.busy) return { do: "keep" };
  if (choice.ids.length === 0)
    return {
      do: "stand",
      because: `${why}, and no other member may lead: ${choice.why}${hint === "" ? "" : `; ${hint}`}`,
    };
  const because = `${why}; the most advanced of ${counted(choice.ids.length, "replica")} in ${at.primaryRegion} leads from here on`;
  return { do: "change", change: { kind: "failover", from: leader.id, candidates: choice.ids, because: why }, because };
}
