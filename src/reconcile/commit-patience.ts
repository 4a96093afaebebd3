import { type ClusterView, replicasOf } from "../cluster/view.ts";

/**
 * So long the leader waits for a replica that is away; and for one that is being started. Then it acknowledges alone.
 */
const graceMs = 2_000;
export const aloneAfterMs = 5_000;

/**
 * With synchronous replication: the replicas any one of which the leader waits for from now on, those of its region
 * that stream, and none while there is none; undefined when that is so already. One that is away for a moment, for a
 * restart or after a change of leader, stays one of them. Pure.
 */
export function namesWanted(view: ClusterView): string[] | undefined {
  const { synchronous } = view.cluster;
  if (synchronous === undefined) return undefined;
  const wanted = replicasOf(view)
    .filter(({ record, facts, since }) => {
      if (record.phase !== "ready" || record.wanted !== "started" || record.region !== view.primaryRegion) return false;
      if (facts.streaming) return true;
      if (!facts.data || !synchronous.names.includes(record.id)) return false;
      return view.now - (since.stranded ?? view.now) < graceMs && view.now - (since.apart ?? view.now) < aloneAfterMs;
    })
    .map(({ record }) => record.id)
    .toSorted();
  return same(wanted, synchronous.names) && same(wanted, synchronous.holders) ? undefined : wanted;
}

const same = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));
