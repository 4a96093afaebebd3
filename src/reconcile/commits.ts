import { type ClusterView, replicasOf } from "./view.ts";

/**
 * With synchronous replication: the replicas any one of which the leader shall wait for from now on, those of its region that stream, and nobody while there
 * is none; undefined when that is so already. One that was away for a moment, for a restart, stays one of them. Pure.
 */
export function namesWanted(view: ClusterView): string[] | undefined {
  const { synchronous } = view.cluster;
  if (synchronous === undefined) return undefined;
  const wanted = replicasOf(view)
    .filter(({ record, facts, since }) => {
      if (record.phase !== "ready" || record.wanted !== "started" || record.region !== view.primaryRegion) return false;
      if (facts.streaming) return true;
      return synchronous.names.includes(record.id) && view.now - (since.stranded ?? view.now) < graceMs;
    })
    .map(({ record }) => record.id)
    .toSorted();
  return same(wanted, synchronous.names) && same(wanted, synchronous.holders) ? undefined : wanted;
}

const graceMs = 2_000;
const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((name) => b.includes(name));
