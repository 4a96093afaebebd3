import { ask } from "../../base/deadline.ts";
import type { MachineRecord } from "../../model/records.ts";
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
 * Every member, replicas first; then one of them takes over, so that connections wait for a tenth of a second only, and the old leader starts anew as its
 * replica. Where nobody may take over the leader is restarted in place. A replica may not have less of max_connections and its like than its leader: what is
 * raised is raised there first. What is lowered begins at the leader, in place, and a replica can take it only when it has heard of it: then it is restarted
 * once more.
 */
export function restartHandler(deps: Deps): Handlers["restartCluster"] {
  const floorsOf = async (machine: string) => (await readControlFile(layout(deps.home, machine)))?.floors ?? {};

  /** Waits until the replica has replayed the leader's limits, however it fares; gives whether it has. */
  const hears = async (replica: MachineRecord, floors: Record<string, number>) =>
    (await ask(async () => (sameFloors(await floorsOf(replica.id), floors) ? true : undefined), { everyMs: 50, withinMs: replayMs })) === true;

  return async ({ params }, call) => {
    const { loop, record } = await requireCluster(deps, params.cluster);
    const { takenBack } = deps.context;
    takenBack.delete(record.app);
    const restarted: string[] = [];
    const restart = async (machine: string) => {
      await restartOne(loop, machine, call);
      const error = takenBack.get(record.app);
      if (error === undefined) return void restarted.push(machine);
      // Those before it run with what was taken back.
      for (const id of restarted) await restartOne(loop, id, call);
      throw error;
    };
    // A replica that does not run starts with what it should have, when it may.
    const running = (loop.view()?.members ?? [])
      .filter((member) => member.facts.running || member.record.id === record.leader)
      .map((member) => member.record)
      .filter(({ phase, wanted }) => phase === "ready" && wanted === "started");
    const replicas = running.filter(({ id }) => id !== record.leader);
    const before = await floorsOf(record.leader);
    for (const replica of replicas) await restart(replica.id);
    if (replicas.length < running.length) {
      if (await handOver(deps, loop, before, call)) await startedWith(deps.context, record);
      else await restart(record.leader);
    }
    const after = await floorsOf(loop.view()?.cluster.leader ?? record.leader);
    if (Object.entries(after).some(([name, floor]) => floor < (before[name] ?? 0))) {
      for (const replica of replicas) if (await hears(replica, after)) await restart(replica.id);
    }
    await deps.events.append(record.app, `cluster ${record.app} was restarted, replicas first`);
    return {};
  };
}

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
  const back = (now: ClusterView | undefined) => now?.members.find((member) => member.record.id === leader)?.facts.streaming === true || undefined;
  await settle(loop, call, { what: `restarting machine ${leader}`, things: [leader], done: back });
  return true;
}

const sameFloors = (one: Record<string, number>, other: Record<string, number>): boolean =>
  Object.entries(other).every(([name, floor]) => one[name] === floor);

async function restartOne(loop: Loop, machine: string, call: Call): Promise<void> {
  loop.restart(machine);
  const restarted = (view: ClusterView | undefined) => {
    const member = view?.members.find((candidate) => candidate.record.id === machine);
    return member === undefined || (!member.restart && member.busy === undefined && member.facts.answers) ? true : undefined;
  };
  await settle(loop, call, { what: `restarting machine ${machine}`, things: [machine], done: restarted });
}
