import { ask } from "../base/deadline.ts";
import type { MachineRecord } from "../model/records.ts";
import { readControlFile } from "../postgres/data.ts";
import { layout } from "../postgres/directory.ts";
import type { Loop } from "../reconcile/loop.ts";
import type { ClusterView } from "../reconcile/view.ts";
import { requireCluster } from "./cluster.ts";
import type { Deps } from "./deps.ts";
import type { Call, Handlers } from "./http.ts";
import { settle } from "./settle.ts";

const replayMs = 10_000;

/**
 * Every member, replicas first: a replica may not have less of max_connections and its like than its leader, so that what is raised is raised there
 * first. What is lowered a replica can take only when it has heard of it from its leader: then it is restarted once more.
 */
export function restartHandler(deps: Deps): Handlers["restartCluster"] {
  const floorsOf = async (machine: string) => (await readControlFile(layout(deps.home, machine)))?.floors ?? {};

  /** Waits until the replica has replayed the leader's limits, however it fares; gives whether it has. */
  const hears = async (replica: MachineRecord, floors: Record<string, number>) =>
    (await ask(async () => (sameFloors(await floorsOf(replica.id), floors) ? true : undefined), { everyMs: 50, withinMs: replayMs })) === true;

  return async ({ params }, call) => {
    const { loop, record } = await requireCluster(deps, params.cluster);
    const running = (loop.view()?.members ?? [])
      .map((member) => member.record)
      .filter(({ phase, wanted }) => phase === "ready" && wanted === "started");
    const replicas = running.filter(({ id }) => id !== record.leader);
    const before = await floorsOf(record.leader);
    for (const replica of replicas) await restartOne(loop, replica.id, call);
    if (replicas.length < running.length) await restartOne(loop, record.leader, call);
    const after = await floorsOf(record.leader);
    if (Object.entries(after).some(([name, floor]) => floor < (before[name] ?? 0))) {
      for (const replica of replicas) if (await hears(replica, after)) await restartOne(loop, replica.id, call);
    }
    await deps.events.append(record.app, `cluster ${record.app} was restarted, replicas first`);
    return {};
  };
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
