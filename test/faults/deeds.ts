/** How each fault is done. Processes are known by the pids that Perch shows, and by nothing else. */
import { rename, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../../src/base/deadline.ts";
import type { Member } from "../../src/api/schemas.ts";
import { occupants } from "../../src/host/occupants.ts";
import { awaitEnd, identify, isSuspended, signalProcess } from "../../src/host/process.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";
import { layout } from "../../src/postgres/directory.ts";
import { start } from "../support/perch.ts";
import { recordProcess } from "../support/processes.ts";
import { killHard, known, netnsOf, processesOf } from "../support/traces.ts";
import { eventually, type World } from "../support/world.ts";

const leaderProcess = async (world: World): Promise<ProcessIdentity> => known((await world.leader()).pid);
const daemonProcess = async (world: World): Promise<ProcessIdentity> => known((await world.status()).daemon.pid);
const near = async (world: World): Promise<Member> => {
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
export const killLeaderAndReplica = async (world: World) => killHard([await leaderProcess(world), await known((await near(world)).pid)]);
const poolers = async (world: World) => (await processesOf(world.root)).filter(({ command }) => command.includes("pgbouncer"));
async function leadingPooler(world: World): Promise<ProcessIdentity> {
  const found = (await poolers(world)).find(({ command }) => command.includes("leader"));
  return known(found?.pid);
}
export const killPooler = async (world: World) => killHard([await leadingPooler(world)]);
export const killPoolers = async (world: World) => killHard(await poolers(world));
export const killNameServer = async (world: World) => killHard((await processesOf(world.root)).filter(({ command }) => command.includes("dns/main")));

/** It is over when the replica runs again. */
export async function killReplica(world: World): Promise<void> {
  const { id, pid } = await near(world);
  await killHard([await known(pid)]);
  const again = async () => (await world.cluster()).members.some((one) => one.id === id && one.pid !== null && one.pid !== pid);
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
export const killPoolerInSwitchover = (world: World, round: number) => inSwitchover(world, round, () => leadingPooler(world));
export const killLeaderInSwitchover = (world: World, round: number) => inSwitchover(world, round, () => leaderProcess(world));
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

/** What is lost is the leader's for good: the fault is over when another leads. */
async function loseLeader(world: World, lose: (data: string) => Promise<unknown>): Promise<void> {
  const { id } = await world.leader();
  await lose(layout(world.home, id).data);
  await eventually("another leads", async () => (await world.leader()).id !== id, 30_000);
}
export const removeData = (world: World) => loseLeader(world, (data) => rm(data, { recursive: true, force: true, maxRetries: 10 }));
export const renameData = (world: World) => loseLeader(world, (data) => rename(data, `${data}.away-${Date.now()}`));
export const removeControlFile = (world: World) => loseLeader(world, (data) => unlink(join(data, "global/pg_control")));
/** A server goes on with files that are open; the next crash shows what is missing. */
export const removeWal = (world: World) =>
  loseLeader(world, async (data) => {
    await rm(join(data, "pg_wal"), { recursive: true, force: true, maxRetries: 10 });
    await killLeader(world);
  });

/** By somebody who does not ask Perch, and who then writes there, as far as Perch is not quicker. It is over when that is undone. */
export async function promoteByHand(world: World): Promise<void> {
  const { id } = await near(world);
  await world.sql(id, "SELECT pg_promote()").catch(() => undefined);
  await world.sql(id, "CREATE TABLE stray AS SELECT generate_series(1, 1000)", "web").catch(() => undefined);
  const undone = async () => {
    const [row] = await world.sql<{ follows: boolean }>(id, "SELECT pg_is_in_recovery() AND to_regclass('stray') IS NULL AS follows", "web");
    return row?.follows;
  };
  await eventually("it follows again", () => undone().catch(() => undefined), 90_000);
}

/** The leader dies, and before it is started again somebody else listens where it did, until another leads and it is said why. */
export async function takePort(world: World): Promise<void> {
  const { id, address, port } = await world.leader();
  const [leader, daemon] = [await leaderProcess(world), await daemonProcess(world)];
  process.kill(daemon.pid, "SIGSTOP");
  await killHard([leader]);
  const listen = `require("node:net").createServer().listen(${port}, "${address}", () => console.log("listens"))`;
  const squatter = await start(["nsenter", `--net=${netnsOf(world.root)}`, process.execPath, "-e", listen]);
  await recordProcess(squatter.pid);
  await eventually("somebody else listens", () => squatter.stdout().includes("listens"), 30_000).finally(() => process.kill(daemon.pid, "SIGCONT"));
  const named = async () => {
    const member = (await world.cluster()).members.find((one) => one.id === id);
    return member?.role === "replica" && /in use/i.test(member.note ?? "");
  };
  await eventually("another leads, and status says why", named, 60_000).finally(() => squatter.kill("SIGKILL"));
  await squatter.ended;
}

/** A replica stays away until the WAL it needs is gone. */
export async function outlastSlot(world: World): Promise<void> {
  const { id } = await near(world);
  const leader = (await world.leader()).id;
  await world.ok("postgres", "config", "update", "-a", "pg", "max_slot_wal_keep_size=1MB");
  await world.ok("machine", "stop", id);
  const gone = async () => {
    await world.sql(leader, "SELECT pg_switch_wal()");
    await world.sql(leader, "CHECKPOINT");
    const rows = await world.sql<{ status: string }>(leader, "SELECT wal_status AS status FROM pg_replication_slots");
    return rows.some(({ status }) => status === "lost");
  };
  await eventually("the WAL it needs is gone", gone, 60_000);
  await world.ok("machine", "start", id);
  await world.ok("postgres", "config", "update", "-a", "pg", "--unset", "max_slot_wal_keep_size");
}
