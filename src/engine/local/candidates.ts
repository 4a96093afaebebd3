/**
 * Which members may lead after the present leader: a replica of the primary region that answers; with synchronous
 * replication, one of those that hold every commit. Pure.
 */
import type { Choice, Situation, Standing } from "../../cluster/situation.ts";

export function candidates(at: Situation): Choice {
  const replicas = at.members.filter((member) => member.id !== at.leader && member.ready);
  const near = replicas.filter((member) => member.region === at.primaryRegion);
  const none = (why: string): Choice => ({ ids: [], why });
  if (replicas.length === 0) return none("it has no replica");
  if (near.length === 0) return none(`no replica is in its primary region ${at.primaryRegion}`);
  const able = near.filter((member) => member.wanted && member.answers && member.recovering === true);
  if (able.length === 0) return none(`no replica in ${at.primaryRegion} answers`);
  const holders = at.holders ?? [];
  if (at.holders === undefined || holders.length === 0) return { ids: advanced(able), why: "" };
  // A commit was acknowledged when any one of the holders had it: only with all of them in sight is the most advanced
  // one sure to have them all.
  const missing = holders.filter((id) => !able.some((member) => member.id === id));
  if (missing.length > 0)
    return none(`${missing.join(", ")} does not answer, and may alone have commits that were acknowledged`);
  return { ids: advanced(able.filter((member) => holders.includes(member.id))), why: "" };
}

const advanced = (members: readonly Standing[]): string[] =>
  members
    .toSorted((a, b) => (a.received === b.received ? 0 : (a.received ?? 0n) > (b.received ?? 0n) ? -1 : 1))
    .map((member) => member.id);
