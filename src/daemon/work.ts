import type { PerchError } from "../errors/error.ts";
import { apply } from "../reconcile/apply.ts";
import { afterFailure } from "../reconcile/concerns/attachments/revoke.ts";
import type { Context } from "../cluster/context.ts";
import type { Engine } from "../engine/engine.ts";
import type { LoopWork } from "../reconcile/loop.ts";
import { observe } from "../reconcile/observe.ts";
import type { Step } from "../reconcile/step.ts";

/** What the loop of one cluster does, bound to this daemon's rooms. */
export const workOf = (context: Context, engine: Engine, app: string): LoopWork => ({
  observe: (memory) => observe(context, engine, app, memory),
  apply: (step, view, signal) => apply(context, engine, step, view, signal),
  undo: (step, why) => undo(context, app, step, why),
  say: (sentence) => context.say(app, sentence),
  publish: () => context.publish(),
});

/** What failed while it was being created is marked for destruction: a member of a new cluster takes the cluster with it. */
async function undo({ state, say }: Context, app: string, step: Step, why: PerchError): Promise<boolean> {
  const reason = `${why.message}; what was made is taken away`;
  if (step.do === "grant") {
    const record = await state.attachments.update(step.attachment, (attachment) => ({ ...attachment, phase: "destroying" }));
    say(app, `attaching ${step.attachment.app} failed: ${reason}`);
    return record !== undefined;
  }
  if (step.do === "revoke" || step.do === "drop-database") {
    const before = await afterFailure({ state }, step.attachment, why);
    if (before) say(app, `detaching ${step.attachment.app} failed, and it is attached as before: ${why.message}`);
    return before;
  }
  if (!("machine" in step)) return false;
  const [machine, cluster] = await Promise.all([state.machines.get({ id: step.machine }), state.clusters.get({ app })]);
  if (machine?.phase !== "creating") return machine?.phase === "destroying" && (step.do === "initialise" || step.do === "copy");
  if (cluster?.phase === "creating") await state.clusters.update(cluster, (record) => ({ ...record, phase: "destroying" }));
  else await state.machines.update(machine, (record) => ({ ...record, phase: "destroying" }));
  say(app, `making machine ${machine.id} failed: ${reason}`);
  return true;
}

/** What was under way when perchd ended was left half made: it is undone, and what was being destroyed is taken up again by itself. */
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
    say(attachment.app, `${attachment.app} was half attached to ${attachment.cluster} when perchd ended; that is undone`);
  }
}
