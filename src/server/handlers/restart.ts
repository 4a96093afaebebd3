import { concernKey } from "../../cluster/concern.ts";
import type { ClusterView } from "../../cluster/view.ts";
import { fail } from "../../errors/error.ts";
import { restartConcern, restartThing } from "../../reconcile/concerns/restarts/plan.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";
import { requireCluster } from "./cluster.ts";

/** A restart of all members is asked for; the loop restarts them, one after the other. */
export function restartHandler(deps: Deps): Handlers["restartCluster"] {
  const { state, context } = deps;
  return async ({ params }, call) => {
    const { loop, record } = await requireCluster(deps, params.cluster);
    const { app } = record;
    const view = loop.view();
    if (view === undefined) throw fail("cluster_not_ready", { app, phase: "not looked at yet" });
    let busy = false;
    await state.clusters.update(record, (now) => {
      busy = now.restarting !== undefined;
      return busy ? now : { ...now, restarting: { done: [], floors: {} } };
    });
    if (busy) throw fail("busy", { what: `cluster ${app}`, by: "its restart" });
    context.takenBack.delete(app);
    /** Who asked for it is told of every failure, and then it is over. */
    const end = async () => void (await state.clusters.update(record, ({ restarting: _over, ...rest }) => rest));
    let noted = false;
    await settle(loop, call, {
      what: `restarting ${app}`,
      things: [concernKey(restartConcern, restartThing), "cluster", ...view.members.map(({ record: { id } }) => id)],
      done(now: ClusterView | undefined) {
        noted ||= now?.cluster.restarting !== undefined;
        return now === undefined || (noted && now.cluster.restarting === undefined) ? true : undefined;
      },
      cancel: end,
    }).catch(async (error: unknown) => {
      await end();
      throw error;
    });
    const back = context.takenBack.get(app);
    if (back !== undefined) throw back;
    return {};
  };
}
