import { fail } from "../../errors/error.ts";
import { checkAppName } from "../../model/name.ts";
import type { ClusterRecord } from "../../model/records.ts";
import type { ClusterLoop } from "../../cluster/cluster-loop.ts";
import { leaderOf, leads, type MemberView, whyNotLed } from "../../cluster/view.ts";
import type { Deps } from "../deps.ts";

/** The cluster of that name with its loop. Throws app_not_found or not_a_cluster. */
export async function requireCluster(
  { state, clusters }: Pick<Deps, "state" | "clusters">,
  app: string,
): Promise<{ record: ClusterRecord; loop: ClusterLoop }> {
  const record = await state.clusters.get({ app });
  if (record !== undefined) return { record, loop: clusters.require(app) };
  if ((await state.apps.get({ name: app })) === undefined) throw fail("app_not_found", { app: checkAppName(app) });
  throw fail("not_a_cluster", { app });
}

/** The same, ready and with a leader that takes writes. Throws cluster_not_ready or no_active_leader. */
export async function requireLeader(
  deps: Pick<Deps, "state" | "clusters">,
  app: string,
): Promise<{ record: ClusterRecord; loop: ClusterLoop; leader: MemberView }> {
  const { record, loop } = await requireCluster(deps, app);
  if (record.phase !== "ready")
    throw fail("cluster_not_ready", {
      app,
      phase: record.phase === "creating" ? "still being created" : "being destroyed",
    });
  const view = loop.view();
  const leader = view === undefined ? undefined : leaderOf(view);
  if (leader === undefined || !leads(leader)) {
    throw fail("no_active_leader", { app, why: whyNotLed(leader), machine: record.leader });
  }
  return { record, loop, leader };
}
