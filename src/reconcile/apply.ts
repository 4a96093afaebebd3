import type { AnyConcern, ConcernStep } from "../cluster/concern.ts";
import type { Engine } from "../engine/engine.ts";
import { fail } from "../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { removeMember } from "../postgres/instance/data-removal.ts";
import { hasData } from "../postgres/instance/directory.ts";
import { createSlot, dropIdleSlots, dropSlot } from "../postgres/replication/replication.ts";
import { endWholly, reload, resume, stop } from "../postgres/instance/server.ts";
import { type Context, memberOf, passwordsOf } from "../cluster/context.ts";
import { doubt } from "../cluster/monitor.ts";
import { operationsOf } from "./operations.ts";
import { alone, farewellFor } from "./evidence.ts";
import {
  initialiseLeader,
  leaderMember,
  machineOf,
  requireProgram,
  restoreRolesOf,
  startMember,
  writeFiles,
} from "./members.ts";
import { copyLeader, discardFormer, rewindMember, swapData } from "./replace.ts";
import type { Step } from "./step.ts";
import { synchronise } from "./set-synchronous-standbys.ts";
import { takeBack } from "./take-back.ts";
import type { ClusterView } from "../cluster/view.ts";

/** Does one step. Each may be repeated: what is done already is done quickly. Rejects with an error of the register. */
export const apply = (
  context: Context,
  { engine, concerns }: { engine: Engine; concerns: readonly AnyConcern[] },
  step: Step,
  view: ClusterView,
  signal: AbortSignal,
): Promise<void> =>
  (step.do === "concern"
    ? ofConcern(concerns, step.concern).apply(step, context, view)
    : doStep(context, { engine, concerns }, step, view, signal)
  ).catch((error: unknown) => {
    doubt(context.monitors, view.cluster.leader, error);
    throw error;
  });

export function ofConcern(concerns: readonly AnyConcern[], concern: string): AnyConcern {
  const found = concerns.find(({ name }) => name === concern);
  if (found === undefined) throw fail("internal", { why: `there is no concern ${concern}` });
  return found;
}

async function doStep(
  context: Context,
  { engine, concerns }: { engine: Engine; concerns: readonly AnyConcern[] },
  step: Exclude<Step, ConcernStep>,
  view: ClusterView,
  signal: AbortSignal,
): Promise<void> {
  const { state } = context;
  const { cluster } = view;
  switch (step.do) {
    case "initialise":
      return initialiseLeader(context, cluster, await machineOf(context, step.machine), signal);
    case "copy":
      return copyLeader(context, cluster, await machineOf(context, step.machine), signal);
    case "start":
      return startMember(context, cluster, await machineOf(context, step.machine), signal);
    case "stop": {
      const machine = await machineOf(context, step.machine);
      await context.monitors.drop(step.machine);
      if (await hasData(memberOf(context, cluster, machine).layout))
        await stop(memberOf(context, cluster, machine), step.mode);
      else await endWholly(memberOf(context, cluster, machine), machine.process);
      return;
    }
    case "reconnect":
    case "restart": {
      const machine = await machineOf(context, step.machine);
      await requireProgram(cluster); // what runs is not ended where it could not be started
      await context.monitors.drop(step.machine);
      await stop(memberOf(context, cluster, machine), "fast", 10_000);
      return startMember(context, cluster, machine, signal);
    }
    case "resume":
      return resume(memberOf(context, cluster, await machineOf(context, step.machine)));
    case "rewind":
      return rewindMember(context, cluster, await machineOf(context, step.machine), signal);
    case "swap":
      return swapData(context, cluster, await machineOf(context, step.machine));
    case "discard":
      return discardFormer(context, cluster, await machineOf(context, step.machine));
    case "lead":
      return engine.changeLeader(operationsOf(context, cluster, concerns), step.change);
    case "withdraw":
      return operationsOf(context, cluster, concerns).withdraw();
    case "synchronise":
      return synchronise(context, cluster, step.names);
    case "take-back":
      return takeBack(context, cluster.app);
    case "configure": {
      const machine = await machineOf(context, step.machine);
      if ((await writeFiles(context, cluster, machine)) === "reload") await reload(memberOf(context, cluster, machine));
      return;
    }
    case "restore-roles":
      return restoreRolesOf(context, cluster, await machineOf(context, step.machine));
    case "accept":
      await state.machines.update({ id: step.machine }, (machine) =>
        machine.phase === "creating" ? { ...machine, phase: "ready" } : machine,
      );
      return;
    case "remove": {
      const machine = await machineOf(context, step.machine);
      await farewell(context, cluster, machine);
      await state.machines.remove(machine);
      return;
    }
    case "slots":
      return setSlots(context, cluster, step);
    case "unslot": {
      const machine = await machineOf(context, step.machine);
      const session = await context.monitors.session(
        memberOf(context, cluster, machine),
        (await passwordsOf(context, cluster.app)).perch,
      );
      if (session !== undefined) await dropIdleSlots(session, step.drop);
      return;
    }
    case "open":
      await state.clusters.update(cluster, (record) =>
        record.phase === "creating" ? { ...record, phase: "ready" } : record,
      );
      return;
    case "forget":
      return forget(context, cluster);
  }
}

async function setSlots(
  context: Context,
  cluster: ClusterRecord,
  step: { create: readonly string[]; drop: readonly string[] },
): Promise<void> {
  const { perch } = await passwordsOf(context, cluster.app);
  const session = await context.monitors.session(await leaderMember(context, cluster), perch);
  if (session === undefined)
    throw fail("no_active_leader", {
      app: cluster.app,
      why: context.monitors.silence(cluster.leader),
      machine: cluster.leader,
    });
  // One that is lost is in both.
  for (const slot of step.drop) await dropSlot(session, slot);
  for (const slot of step.create) await createSlot(session, slot);
}

async function farewell(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<void> {
  const remove = async () =>
    removeMember(memberOf(context, cluster, machine), await farewellFor(context, cluster, machine));
  // What is left of a cluster that goes as a whole goes side by side.
  return cluster.phase === "destroying" ? remove() : alone(context, cluster, machine, remove);
}

/** The records of a cluster without members, and the secrets that led apps to it. */
async function forget({ state, say }: Context, cluster: ClusterRecord): Promise<void> {
  const [attachments, secrets, rotations, formerLogins] = await Promise.all([
    state.attachments.list({ cluster: cluster.app }),
    state.secrets.list({ app: cluster.app }),
    state.rotations.list({ cluster: cluster.app }),
    state.formerLogins.list({ cluster: cluster.app }),
  ]);
  await state.commit(
    [],
    [
      ...attachments.flatMap((attachment) => [
        state.attachments.drop(attachment),
        ...(attachment.phase === "ready"
          ? [state.secrets.drop({ app: attachment.app, name: attachment.variable })]
          : []),
      ]),
      ...secrets.map((secret) => state.secrets.drop(secret)),
      ...rotations.map((rotation) => state.rotations.drop(rotation)),
      ...formerLogins.map((login) => state.formerLogins.drop(login)),
      state.clusters.drop(cluster),
      state.apps.drop({ name: cluster.app }),
    ],
  );
  say(cluster.app, `cluster ${cluster.app} is gone, with its data`);
}
