import { type Concern, concernOf, type MemberRestart, type Sight } from "../../../cluster/concern.ts";
import { configurationOf, type Context } from "../../../cluster/context.ts";
import { lossesOf } from "../../../cluster/losses.ts";
import type { ClusterView } from "../../../cluster/view.ts";
import type { PerchError } from "../../../errors/error.ts";
import type { ClusterRecord, Restarting } from "../../../model/records.ts";
import { lossesText } from "../../../postgres/replication/losses.ts";
import { floorsOf, floorsSeen } from "./floors.ts";
import { machineOf } from "../../members.ts";
import { startedWith } from "../../take-back.ts";
import { forRestart, restartConcern, type RestartFacts, type RestartStep, restartThing } from "./plan.ts";

/**
 * A restart of all members, one after the other. What is asked for stands in the cluster's record; who is restarted
 * already is seen by the process that runs, so that a perchd that is killed at any moment is not the end of it, and
 * restarts nobody twice. Start with `plan.ts`.
 */
const restarts: Concern<RestartStep, RestartFacts | undefined> = {
  name: restartConcern,
  observe: (context, cluster, _leader, sight) =>
    cluster.restarting === undefined ? Promise.resolve(undefined) : look(context, cluster, cluster.restarting, sight),
  plan: (view, facts) => (facts === undefined ? [] : forRestart(view, facts)),
  apply,
  undo: () => Promise.resolve(false),
  failed,
  progress: ({ cluster }) => ({ settling: cluster.restarting !== undefined, back: true }),
};
export const restartsConcern = concernOf(restarts);

async function look(
  context: Context,
  cluster: ClusterRecord,
  { floors: before }: Restarting,
  { machines, since }: Sight,
): Promise<RestartFacts> {
  const floors = new Map(
    await Promise.all(machines.map(async ({ id }) => [id, await floorsSeen(context, id)] as const)),
  );
  const leader = machines.find(({ id }) => id === cluster.leader);
  const wanted = leader && configurationOf(context, cluster, leader, undefined, "").settings;
  const less = (has: Readonly<Record<string, string | number>>) =>
    Object.entries(before).some(([name, floor]) => Number(has[name] ?? floor) < floor);
  return {
    floors,
    lowers: wanted !== undefined && less(wanted),
    loweredSince: since(restartThing, "lowered", less(floors.get(cluster.leader) ?? {})),
  };
}

async function apply(step: RestartStep, context: Context, view: ClusterView): Promise<void> {
  switch (step.what) {
    case "begin":
      return begin(context, view);
    case "hand-over":
      return handOver(context, view, step.machines[0] ?? "");
    case "again": {
      const floors = await floorsOf(context, view.cluster.leader);
      return change(context, view.cluster, ({ settings, ...rest }) => ({
        ...rest,
        floors: { ...floors },
        processes: processesOf(view, step.machines),
        ...(rest.refused === undefined && settings !== undefined ? { settings } : {}),
      }));
    }
    case "finish":
      return finish(context, view.cluster);
  }
}

const change = async (
  { state }: Pick<Context, "state">,
  cluster: ClusterRecord,
  how: (wish: Restarting) => Restarting,
): Promise<void> =>
  void (await state.clusters.update(cluster, (record) =>
    record.restarting === undefined ? record : { ...record, restarting: how(record.restarting) },
  ));

function processesOf({ members }: ClusterView, ids: readonly string[]): NonNullable<Restarting["processes"]> {
  return Object.fromEntries(
    members.flatMap(({ record: { id, process } }) =>
      ids.includes(id) && process !== undefined ? [[id, process] as const] : [],
    ),
  );
}

/** A replica that does not run starts with what it should have, when it may. */
async function begin(context: Context, view: ClusterView): Promise<void> {
  const { cluster, members } = view;
  const { done = [], floors: known = {} } = cluster.restarting ?? {};
  const ids = members
    .filter(({ record, facts }) => facts.running && record.phase === "ready" && record.wanted === "started")
    .map(({ record }) => record.id)
    .filter((id) => !done.includes(id));
  const floors = Object.keys(known).length > 0 ? known : await floorsOf(context, cluster.leader);
  await change(context, cluster, (wish) => ({
    ...wish,
    floors: { ...floors },
    processes: processesOf(view, ids),
    leader: cluster.leader,
    settings: cluster.settings,
  }));
}

/** In place it takes longer, and nothing with it. Whatever becomes of the change, it is tried once. */
async function handOver(context: Context, { cluster }: ClusterView, to: string): Promise<void> {
  const [leader, next] = await Promise.all([machineOf(context, cluster.leader), machineOf(context, to)]);
  const losses = lossesText(await lossesOf(context, cluster, leader, next));
  const inPlace = losses === "" ? "no other member took over" : `in place, for a change of leader would take ${losses}`;
  await context.state.clusters.update(cluster, (record) => {
    if (record.restarting === undefined || record.change !== undefined) return record;
    const wished = { ...record, restarting: { ...record.restarting, inPlace } };
    return losses === "" ? { ...wished, change: { kind: "switchover", to, because: "it was asked for" } } : wished;
  });
}

/** However it ends, it is over. */
async function finish(context: Context, { app, restarting }: ClusterRecord): Promise<void> {
  const over = await endRestart(context, app);
  if (!over) return;
  if (restarting?.refused === undefined && restarting?.settings !== undefined)
    await startedWith(context, { app, settings: restarting.settings });
  const why = context.takenBack.get(app)?.message ?? "its settings were taken back";
  context.say(
    app,
    restarting?.refused === undefined
      ? `cluster ${app} was restarted, replicas first`
      : `the restart of ${app} did not come to its end: ${why}`,
  );
}

/** Gives whether there was one. */
async function endRestart({ state }: Pick<Context, "state">, app: string): Promise<boolean> {
  let was = false;
  await state.clusters.update({ app }, ({ restarting, ...rest }) => {
    was = restarting !== undefined;
    return rest;
  });
  return was;
}

/** A member that does not come back is the end of it: the others run as they are. */
export async function failed(
  { machine }: MemberRestart,
  { state, say }: Pick<Context, "state" | "say">,
  why: PerchError,
): Promise<void> {
  const app = (await state.machines.get({ id: machine }))?.app;
  if (app !== undefined && (await endRestart({ state }, app)))
    say(app, `the restart of ${app} did not come to its end: ${why.message}`);
}
