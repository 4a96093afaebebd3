import { type Concern, concernOf } from "../../../cluster/concern.ts";
import type { Context } from "../../../cluster/context.ts";
import { poolerConcern, poolerKey, poolerLayout, type PoolFacts } from "../../../cluster/poolers.ts";
import type { PerchError } from "../../../errors/error.ts";
import { inTurn } from "../../../cluster/shared-catalogs.ts";
import type { ClusterView } from "../../../cluster/view.ts";
import { poolTakenBack, samePool } from "../../../model/pool.ts";
import { removePooler } from "../../../pgbouncer/server.ts";
import { holdClients } from "./hold.ts";
import { admitDatabases, sweepDatabases } from "./lookup.ts";
import { observePoolers } from "./observe.ts";
import { forPoolers, type PoolerStep, toClear } from "./plan.ts";
import { dismissRole, makeRole } from "./role.ts";
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
  undo,
  progress: ({ things }, found) => ({
    settling: found?.poolers.some(({ facts }) => facts.running && !facts.answers) ?? false,
    back:
      found?.poolers.every(
        ({ id, facts }) =>
          !facts.wanted || (facts.answers && !facts.paused) || things.get(poolerKey(id))?.trouble !== undefined,
      ) ?? true,
  }),
  clear: (view, found) => (found === undefined ? [] : toClear(view, found)),
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
    case "make-role":
      return inTurn(app, () => makeRole(context, cluster));
    case "drop-role":
      return inTurn(app, () => dismissRole(context, cluster));
    case "accept":
      await context.state.clusters.update(cluster, ({ poolBefore, ...record }) =>
        samePool(record.pool, cluster.pool) || poolBefore === undefined ? record : { ...record, poolBefore },
      );
  }
}

/** While a pooler that was asked for is not there yet, what fails takes the wish back to what was before. */
export async function undo(
  { app }: Pick<PoolerStep, "app">,
  { state, say }: Pick<Context, "state" | "say">,
  why: PerchError,
): Promise<boolean> {
  let changing = false;
  await state.clusters.update({ app }, (record) => {
    changing = record.poolBefore !== undefined;
    return poolTakenBack(record);
  });
  if (changing) say(app, `the pooler of ${app} is what it was before: ${why.message}`);
  return changing;
}
