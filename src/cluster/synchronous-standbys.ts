import type { ClusterRecord, Synchronous } from "../model/records.ts";

/**
 * With synchronous replication: whom a member waits for before it acknowledges a commit. A replica has this in its
 * files, too, while it follows: whatever makes it the leader, and whoever is connected to it then, its first commit
 * waits already. Pure.
 */
export function standbysOf(
  { leader, synchronous }: Pick<ClusterRecord, "leader" | "synchronous">,
  id: string,
): string[] {
  if (synchronous === undefined) return [];
  if (id === leader) return synchronous.names;
  return [...new Set([leader, ...synchronous.names])].filter((name) => name !== id).toSorted();
}

/**
 * What the record promises of a new leader. `whole`: the former one has every acknowledged commit, so that it, or one
 * that took a later one, has them all. One that is lost is not waited for alone: when no other replica is left, the new
 * leader has nobody to wait for.
 */
export function promiseOf(
  record: Pick<ClusterRecord, "leader" | "synchronous">,
  to: string,
  { whole }: { whole: boolean },
): Synchronous | undefined {
  const { leader, synchronous } = record;
  if (synchronous === undefined || to === leader) return synchronous;
  const names = standbysOf(record, to);
  if (whole) return { names, holders: names };
  return { names: names.some((name) => name !== leader) ? names : [], holders: [] };
}
