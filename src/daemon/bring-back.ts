import { ask } from "../base/deadline.ts";
import { broughtBack, type ClusterView } from "../cluster/view.ts";
import type { Clusters } from "../reconcile/clusters.ts";

/** What takes longer, like the recovery of a large server, goes on beside the API. */
export const broughtBackMs = 15_000;

/** Resolves when every cluster is at work, or takes long to be. */
export async function bringBack(clusters: Clusters, progress: (sentence: string) => void): Promise<void> {
  await ask(() => (clusters.views() === undefined ? undefined : true), { everyMs: 10, withinMs: 10_000 });
  const away = (clusters.views() ?? []).filter((view) => !settled(view)).map((view) => view.cluster.app);
  if (away.length > 0) progress(`bringing back ${away.join(", ")}`);
  await ask(() => (clusters.views()?.every(settled) === true ? true : undefined), {
    everyMs: 20,
    withinMs: broughtBackMs,
  });
}

/** Every member does its part, and the change of leader that a killed perchd was in the middle of is through. */
const settled = (view: ClusterView): boolean => broughtBack(view) && view.cluster.change === undefined;
