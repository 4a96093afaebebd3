import type { PerchError } from "../errors/error.ts";
import { apply, ofConcern } from "../reconcile/apply.ts";
import { concerns } from "../reconcile/concerns/concerns.ts";
import type { Context } from "../cluster/context.ts";
import type { Engine } from "../engine/engine.ts";
import type { LoopWork } from "../reconcile/loop.ts";
import { observe } from "../reconcile/observe.ts";
import { plan } from "../reconcile/plan.ts";
import type { Step } from "../reconcile/step.ts";

/** What the loop of one cluster does, bound to this daemon's rooms. */
export const workOf = (context: Context, engine: Engine, app: string): LoopWork => ({
  observe: (memory) => observe(context, { engine, concerns }, app, memory),
  plan: (view) => plan(view, concerns),
  apply: (step, view, signal) => apply(context, { engine, concerns }, step, view, signal),
  undo: (step, why) => undo(context, app, step, why),
  say: (sentence) => context.say(app, sentence),
  publish: () => context.publish(),
});

/**
 * What failed while it was being created is marked for destruction: a member of a new cluster takes the cluster with
 * it.
 */
async function undo(context: Context, app: string, step: Step, why: PerchError): Promise<boolean> {
  const { state, say } = context;
  if (step.do === "concern") return ofConcern(concerns, step.concern).undo(step, context, why);
  if (step.do === "restart" && step.of !== undefined) await ofConcern(concerns, step.of).failed?.(step, context, why);
  if (!("machine" in step)) return false;
  const [machine, cluster] = await Promise.all([state.machines.get({ id: step.machine }), state.clusters.get({ app })]);
  if (machine?.phase !== "creating")
    return machine?.phase === "destroying" && (step.do === "initialise" || step.do === "copy");
  if (cluster?.phase === "creating")
    await state.clusters.update(cluster, (record) => ({ ...record, phase: "destroying" }));
  else await state.machines.update(machine, (record) => ({ ...record, phase: "destroying" }));
  say(app, `making machine ${machine.id} failed: ${why.message}; what was made is taken away`);
  return true;
}

/** What an ended perchd had begun, and its loop goes on with. */
export async function tellUnfinished({ state, say }: Pick<Context, "state" | "say">): Promise<void> {
  for (const { app, restarting } of await state.clusters.list())
    if (restarting !== undefined) say(app, `the restart of ${app} that an ended perchd had begun goes on`);
}

/**
 * What was under way when perchd ended was left half made: it is undone, and what was being destroyed is taken up again
 * by itself.
 */
export async function undoHalfMade({ state, say }: Pick<Context, "state" | "say">): Promise<void> {
  const half = (record: { phase: string }) => record.phase === "creating";
  for (const cluster of (await state.clusters.list()).filter(half)) {
    await state.clusters.update(cluster, (record) => ({ ...record, phase: "destroying" }));
    say(cluster.app, `cluster ${cluster.app} was half made when perchd ended; it is taken away`);
  }
  for (const machine of (await state.machines.list()).filter(half)) {
    await state.machines.update(machine, (record) => ({ ...record, phase: "destroying" }));
    say(machine.app, `machine ${machine.id} was half made when perchd ended; it is taken away`);
  }
  for (const attachment of (await state.attachments.list()).filter(half)) {
    await state.attachments.update(attachment, (record) => ({ ...record, phase: "destroying" }));
    say(
      attachment.app,
      `${attachment.app} was half attached to ${attachment.cluster} when perchd ended; that is undone`,
    );
  }
}
