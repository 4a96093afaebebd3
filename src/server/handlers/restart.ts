import { ask } from "../../base/deadline.ts";
import { fail, toPerchError } from "../../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../../model/records.ts";
import { readControlFile } from "../../postgres/instance/control-file.ts";
import { layout } from "../../postgres/instance/directory.ts";
import { lossesText } from "../../postgres/replication/losses.ts";
import { configurationOf } from "../../cluster/context.ts";
import { startedWith } from "../../reconcile/take-back.ts";
import type { Loop } from "../../reconcile/loop.ts";
import { type ClusterView, situationOf } from "../../cluster/view.ts";
import { requireCluster } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Call } from "../http/call.ts";
import type { Handlers } from "../http/http.ts";
import { changeTo, lossesOf } from "./leadership.ts";
import { settle } from "../wait.ts";

const replayMs = 10_000;
const followMs = 3_000;

/**
 * A restart of all members is written down before the first, so that a perchd that is killed in the middle is not the
 * end of it.
 */
export function restartHandler(deps: Deps): Handlers["restartCluster"] {
  return async ({ params }, call) => {
    const { loop, record } = await requireCluster(deps, params.cluster);
    await restartAll(deps, record.app, loop, call, () => begin(deps, record));
    await deps.events.append(record.app, `cluster ${record.app} was restarted, replicas first`);
    return {};
  };
}

/** What an ended perchd had begun. It says how it went in events: nobody waits for it any more. */
export async function goOnRestarting(deps: Deps): Promise<void> {
  const left = (await deps.state.clusters.list()).filter(({ restarting }) => restarting !== undefined);
  const call: Call = { signal: new AbortController().signal, progress: () => undefined, elsewhere: false };
  await Promise.all(
    left.map(async ({ app }) => {
      await deps.events.append(app, `the restart of ${app} that an ended perchd had begun goes on`);
      const told = await restartAll(deps, app, deps.clusters.require(app), call).then(
        () => `cluster ${app} was restarted, replicas first`,
        (error: unknown) => `the restart of ${app} did not come to its end: ${toPerchError(error).message}`,
      );
      await deps.events.append(app, told);
    }),
  );
}

const floorsOf = async ({ home }: Deps, machine: string) =>
  (await readControlFile(layout(home, machine)))?.floors ?? {};

async function begin(deps: Deps, { app, leader }: ClusterRecord): Promise<void> {
  const restarting = { done: [], floors: await floorsOf(deps, leader) };
  await deps.state.clusters.update({ app }, (record) => ({ ...record, restarting }));
  deps.context.takenBack.delete(app);
}

/** Of this perchd: what a record says may be left of one that could not be written, on a full disk. */
const underWay = new Set<string>();
/** A large cluster takes its time to be looked at; before that nothing is known of its members. */
const lookedAtMs = 60_000;

/**
 * Every member, replicas first; then one of them takes over, so that connections wait for a tenth of a second only, and
 * the old leader starts again as its replica. Where none may take over the leader is restarted in place. A replica may
 * not have less of max_connections and its like than its leader: what is raised is raised there first. What is lowered
 * begins at the leader, in place, and a replica can take it only when it has heard of it: then it is restarted once
 * more. However it ends, it is over: what waits for it is told.
 */
async function restartAll(
  deps: Deps,
  app: string,
  loop: Loop,
  call: Call,
  first: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  if (underWay.has(app)) throw fail("busy", { what: `cluster ${app}`, by: "its restart" });
  underWay.add(app);
  try {
    await first();
    await inOrder(deps, app, loop, call);
  } finally {
    underWay.delete(app);
    await deps.state.clusters.update({ app }, ({ restarting: _over, ...record }) => record);
  }
}

async function inOrder(deps: Deps, app: string, loop: Loop, call: Call): Promise<void> {
  const view = await ask(() => loop.view(), { everyMs: 50, withinMs: lookedAtMs });
  const record = await deps.state.clusters.get({ app });
  if (record === undefined || view === undefined) throw fail("cluster_not_ready", { app, phase: "not looked at yet" });
  const { done = [], floors: before = {} } = record.restarting ?? {};
  // A replica that does not run starts with what it should have, when it may.
  const running = view.members
    .filter((member) => member.facts.running || member.record.id === record.leader)
    .map((member) => member.record)
    .filter(({ phase, wanted }) => phase === "ready" && wanted === "started");
  const replicas = running.filter(({ id }) => id !== record.leader);
  const restart = restarter(deps, loop, call, app, done);
  for (const { id } of replicas) if (!done.includes(id)) await restart(id);
  if (replicas.length < running.length && !done.includes(record.leader)) {
    if (await handOver(deps, loop, before, call)) await startedWith(deps.context, record);
    else await restart(record.leader);
  }
  const after = await floorsOf(deps, loop.view()?.cluster.leader ?? record.leader);
  if (Object.entries(after).some(([name, floor]) => floor < (before[name] ?? 0))) {
    for (const replica of replicas) if (await hears(deps, replica, after)) await restart(replica.id);
  }
}

/**
 * One after the other; each is written down. Where the settings that it should start with were taken back, those before
 * it get them back, too.
 */
function restarter(
  deps: Deps,
  loop: Loop,
  call: Call,
  app: string,
  before: readonly string[],
): (machine: string) => Promise<void> {
  const restarted = [...before];
  return async (machine) => {
    await restartOne(loop, machine, call);
    const error = deps.context.takenBack.get(app);
    if (error !== undefined) {
      for (const id of restarted) await restartOne(loop, id, call);
      throw error;
    }
    restarted.push(machine);
    await deps.state.clusters.update({ app }, (record) =>
      record.restarting === undefined
        ? record
        : { ...record, restarting: { ...record.restarting, done: [...restarted] } },
    );
  };
}

/** Waits until the replica has replayed the leader's limits, however it fares; gives whether it has. */
const hears = async (deps: Deps, replica: MachineRecord, floors: Record<string, number>): Promise<boolean> =>
  (await ask(async () => (sameFloors(await floorsOf(deps, replica.id), floors) ? true : undefined), {
    everyMs: 50,
    withinMs: replayMs,
  })) === true;

/** Gives whether another member leads now, with the settings it was restarted with. */
async function handOver(deps: Deps, loop: Loop, floors: Record<string, number>, call: Call): Promise<boolean> {
  const next = async () => {
    const view = loop.view();
    const id = view === undefined ? undefined : deps.engine.candidates(situationOf(view)).ids[0];
    const to = view?.members.find((member) => member.record.id === id);
    if (view === undefined || to?.facts.streaming === true) return view && to && { view, to };
    loop.wake(); // it was restarted a moment ago
    return undefined;
  };
  const found = await ask(next, { everyMs: 20, withinMs: followMs });
  if (found === undefined) return false;
  const { view, to } = found;
  const wanted = configurationOf(deps.context, view.cluster, to.record, undefined, "").settings;
  if (Object.entries(floors).some(([name, floor]) => Number(wanted[name] ?? floor) < floor)) return false;
  // In place it takes longer, and nothing with it.
  const losses = lossesText(await lossesOf(deps, view, to));
  if (losses !== "") {
    call.progress(`the leader is restarted in place: a change of leader would take ${losses}`);
    return false;
  }
  await changeTo(deps, view, to, { force: false, call });
  const { leader } = view.cluster;
  const back = (now: ClusterView | undefined) =>
    now?.members.find((member) => member.record.id === leader)?.facts.streaming === true || undefined;
  await settle(loop, call, { what: `restarting machine ${leader}`, things: [leader], done: back });
  return true;
}

const sameFloors = (one: Record<string, number>, other: Record<string, number>): boolean =>
  Object.entries(other).every(([name, floor]) => one[name] === floor);

async function restartOne(loop: Loop, machine: string, call: Call): Promise<void> {
  loop.restart(machine);
  const restarted = (view: ClusterView | undefined) => {
    const member = view?.members.find((candidate) => candidate.record.id === machine);
    return member === undefined || (!member.restart && member.busy === undefined && member.facts.answers)
      ? true
      : undefined;
  };
  await settle(loop, call, { what: `restarting machine ${machine}`, things: [machine], done: restarted });
}
