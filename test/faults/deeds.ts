/** How each fault is done. Processes are known by the pids that Perch shows, and by nothing else. */
import { pause } from "../../src/base/deadline.ts";
import type { Member } from "../../src/api/schemas.ts";
import { occupants } from "../../src/host/process/occupants.ts";
import { awaitEnd, identify, isSuspended, signalProcess } from "../../src/host/process/process.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { eventually, type World } from "../support/world.ts";

export const leaderProcess = async (world: World): Promise<ProcessIdentity> => known((await world.leader()).pid);
export const daemonProcess = async (world: World): Promise<ProcessIdentity> => known((await world.status()).daemon.pid);
export const near = async (world: World): Promise<Member> => {
  const found = (await world.cluster()).members.find(({ role, region }) => role === "replica" && region === "ams");
  if (found === undefined) throw new Error("there is no replica in ams");
  return found;
};

export const switchOver = (world: World) => world.ok("postgres", "failover", "-a", "pg");
export const killLeader = async (world: World) => killHard([await leaderProcess(world)]);
/** As soon as it runs again, until Perch takes it for one that cannot. */
export async function killLeaderAgain(world: World): Promise<void> {
  const { id } = await world.leader();
  let killed: number | null = null;
  const another = async () => {
    const leader = await world.leader();
    if (leader.id !== id) return true;
    if (leader.pid === null || leader.pid === killed) return undefined;
    killed = leader.pid;
    const found = await identify(leader.pid);
    if (found !== undefined) await killHard([found]);
    return undefined;
  };
  await eventually("another leads", another, 60_000);
}
export const killLeaderAndReplica = async (world: World) =>
  killHard([await leaderProcess(world), await known((await near(world)).pid)]);
const poolers = async (world: World) =>
  (await processesOf(world.root)).filter(({ command }) => command.includes("pgbouncer"));
async function leadingPooler(world: World): Promise<ProcessIdentity> {
  const found = (await poolers(world)).find(({ command }) => command.includes("leader"));
  return known(found?.pid);
}
export const killPooler = async (world: World) => killHard([await leadingPooler(world)]);
export const killPoolers = async (world: World) => killHard(await poolers(world));
export const killNameServer = async (world: World) =>
  killHard((await processesOf(world.root)).filter(({ command }) => command.includes("dns/main")));

/** It is over when the replica runs again. */
export async function killReplica(world: World): Promise<void> {
  const { id, pid } = await near(world);
  await killHard([await known(pid)]);
  const again = async () =>
    (await world.cluster()).members.some((one) => one.id === id && one.pid !== null && one.pid !== pid);
  await eventually("it is started again", again, 60_000);
}

export async function killBackend(world: World): Promise<void> {
  const { id } = await world.leader();
  const [row] = await world.sql<{ pid: number }>(id, "SELECT pid FROM pg_stat_activity WHERE usename = 'web' LIMIT 1");
  await killHard([await known(row?.pid)]);
}

export async function killDaemon(world: World): Promise<void> {
  await killHard([await daemonProcess(world)]);
  await world.ok("up");
}

export async function killDaemonAndLeader(world: World): Promise<void> {
  await killHard([await leaderProcess(world), await daemonProcess(world)]);
  await world.ok("up");
}

/** A switchover takes some hundred milliseconds; after so many of them somebody is killed. */
const moments = [10, 40, 70, 100, 150, 200, 25, 55, 85, 125];

async function inSwitchover(world: World, round: number, kill: () => Promise<ProcessIdentity>): Promise<void> {
  const victim = await kill();
  const done = world.client.call("failover", { params: { cluster: "pg" }, body: {} }).catch(() => undefined);
  await pause(moments[round % moments.length] ?? 0);
  await killHard([victim]);
  await done;
}

export async function killDaemonInSwitchover(world: World, round: number): Promise<void> {
  await inSwitchover(world, round, () => daemonProcess(world));
  await world.ok("up");
}
export const killPoolerInSwitchover = (world: World, round: number) =>
  inSwitchover(world, round, () => leadingPooler(world));
export const killLeaderInSwitchover = (world: World, round: number) =>
  inSwitchover(world, round, () => leaderProcess(world));
/** At one of the moments; every other time at the worst of all, when the old leader has just ended. */
export async function killNextInSwitchover(world: World, round: number): Promise<void> {
  const next = await known((await near(world)).pid);
  if (round % 2 === 1) return inSwitchover(world, round, () => Promise.resolve(next));
  const old = await leaderProcess(world);
  const done = world.client.call("failover", { params: { cluster: "pg" }, body: {} }).catch(() => undefined);
  if (!(await awaitEnd(old, 30_000))) throw new Error("the old leader did not end");
  await killHard([next]);
  await done;
}

/** Stopped as a debugger would, for as long as nobody lets it go on. The fault is over when it does its part again. */
async function suspend(world: World, member: Member, all: boolean): Promise<void> {
  const found: ProcessIdentity[] = [];
  for (const one of all ? await occupants(layout(world.home, member.id).data, "postgres") : [await known(member.pid)])
    if (await signalProcess(one, "SIGSTOP")) found.push(one); // a backend may have left meanwhile
  const stopped = async () => (await Promise.all(found.map(isSuspended))).filter(Boolean).length;
  await eventually(`${member.id} stops`, async () => (await stopped()) === found.length);
  await eventually(`${member.id} goes on`, async () => (await stopped()) === 0, 90_000);
}
export const suspendPostmaster = async (world: World) => suspend(world, await world.leader(), false);
export const suspendLeader = async (world: World) => suspend(world, await world.leader(), true);
export const suspendReplica = async (world: World) => suspend(world, await near(world), true);

export async function downAndUp(world: World): Promise<void> {
  await world.ok("down");
  await world.ok("up");
}
