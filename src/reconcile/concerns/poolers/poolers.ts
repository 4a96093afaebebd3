import { type Concern, concernOf } from "../../../cluster/concern.ts";
import type { Context } from "../../../cluster/context.ts";
import { poolerConcern, poolerKey, poolerLayout, type PoolFacts } from "../../../cluster/poolers.ts";
import { inTurn } from "../../../cluster/shared-catalogs.ts";
import type { ClusterView } from "../../../cluster/view.ts";
import { removePooler } from "../../../pgbouncer/server.ts";
import { holdClients } from "./hold.ts";
import { admitDatabases, sweepDatabases } from "./lookup.ts";
import { observePoolers } from "./observe.ts";
import { forPoolers, type PoolerStep, toClear } from "./plan.ts";
import { runPooler } from "./run.ts";

/**
 * The poolers of a cluster (PgBouncer): a process each, in the way of every query on 6432. Start with `plan.ts`; which
 * there should be, `cluster/poolers.ts` says.
 */
const poolers: Concern<PoolerStep, PoolFacts> = {
  name: poolerConcern,
  observe: observePoolers,
  plan: (view, found) => (found === undefined ? [] : forPoolers(view, found)),
  apply,
  undo: () => Promise.resolve(false),
  progress: ({ things }, found) => ({
    settling: found?.poolers.some(({ facts }) => facts.running && !facts.answers) ?? false,
    back:
      found?.poolers.every(
        ({ id, facts }) =>
          !facts.wanted || (facts.answers && !facts.paused) || things.get(poolerKey(id))?.trouble !== undefined,
      ) ?? true,
  }),
  clear: (_view, found) => (found === undefined ? [] : toClear(found)),
  hold: holdClients,
};
export const poolersConcern = concernOf(poolers);

async function apply(step: PoolerStep, context: Context, { cluster, members }: ClusterView): Promise<void> {
  const { app } = cluster;
  switch (step.what) {
    case "run":
      return runPooler(
        context,
        cluster,
        members.map(({ record }) => record),
        step.pooler,
      );
    case "end":
      return removePooler(poolerLayout(context, cluster, step.pooler));
    case "admit":
      return inTurn(app, () => admitDatabases(context, cluster, step.databases));
    case "sweep":
      return inTurn(app, () => sweepDatabases(context, cluster, step.databases));
  }
}
