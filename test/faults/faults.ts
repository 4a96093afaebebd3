/** The faults, as data: what is done to a cluster while it is written to, and what Perch promises for it. */
import { rename, rm } from "node:fs/promises";
import { occupants } from "../../src/host/occupants.ts";
import { layout } from "../../src/postgres/directory.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { pause } from "../../src/base/deadline.ts";
import { eventually, type World } from "../support/world.ts";

export interface Fault {
  name: string;
  /** Whether an acknowledged row may be missing afterwards. */
  rows: "kept" | "may be lost";
  /** The longest time in which nothing may be acknowledged, in milliseconds, many times what it takes on a quiet machine. */
  withinMs: number;
  /** How often in the short form; once where nothing is said. */
  times?: number;
  /** The load ends with it, and is begun anew. */
  endsLoad?: true;
  act(world: World, round: number): Promise<unknown>;
}

const killLeader = async (world: World) => killHard([await known((await world.leader()).pid)]);
const killReplica = async (world: World) => killHard([await known((await world.replica()).pid)]);
const killDaemon = async (world: World) => killHard([await known((await world.status()).daemon.pid)]);

/** What is lost is the leader's for good: the fault is over when another leads. */
async function loseLeader(world: World, lose: (data: string) => Promise<unknown>): Promise<void> {
  const { id } = await world.leader();
  await lose(layout(world.home, id).data);
  await eventually("another leads", async () => (await world.leader()).id !== id);
}

async function killBackend(world: World): Promise<void> {
  const { id } = await world.leader();
  const [row] = await world.sql<{ pid: number }>(id, "SELECT pid FROM pg_stat_activity WHERE usename = 'web' LIMIT 1");
  await killHard([await known(row?.pid ?? 0)]);
}

/** Stopped as a debugger or a full machine would, for as long as nobody lets it go on. */
async function suspend(world: World, all: boolean): Promise<void> {
  const { pid, id } = await world.leader();
  const found = all ? await occupants(layout(world.home, id).data, "postgres") : [await known(pid)];
  for (const one of found) process.kill(one.pid, "SIGSTOP");
}

/** A switchover takes some hundred milliseconds: perchd is killed after so many of them, and started again. */
const killDaemonInSwitchover = async (world: World, afterMs: number): Promise<void> => {
  const daemon = await known((await world.status()).daemon.pid);
  const done = world.client.call("failover", { params: { cluster: "pg" }, body: {} }).catch(() => undefined);
  await pause(afterMs);
  await killHard([daemon]);
  await done;
  await world.ok("up");
};

export const faults: readonly Fault[] = [
  { name: "switchover", rows: "kept", withinMs: 5_000, act: (world) => world.ok("postgres", "failover", "-a", "pg") },
  { name: "kill -9 of the leader's postmaster", rows: "kept", withinMs: 10_000, act: killLeader },
  { name: "kill -9 of a backend", rows: "kept", withinMs: 10_000, act: killBackend },
  { name: "kill -9 of a replica", rows: "kept", withinMs: 2_000, act: killReplica },
  {
    name: "kill -9 of perchd",
    rows: "kept",
    withinMs: 2_000,
    act: async (world) => {
      await killDaemon(world);
      await world.ok("up");
    },
  },
  {
    name: "kill -9 of the name server",
    rows: "kept",
    withinMs: 2_000,
    act: async (world) => killHard((await processesOf(world.root)).filter(({ command }) => command.includes("dns/main"))),
  },
  {
    name: "kill -9 of perchd and the leader",
    rows: "kept",
    withinMs: 20_000,
    act: async (world) => {
      const found = [await known((await world.leader()).pid), await known((await world.status()).daemon.pid)];
      await killHard(found);
      await world.ok("up");
    },
  },
  {
    name: "kill -9 of the leader and a replica",
    rows: "kept",
    withinMs: 10_000,
    act: async (world) => {
      await killReplica(world);
      await killLeader(world);
    },
  },
  {
    name: "kill -9 of perchd in a switchover",
    rows: "kept",
    withinMs: 20_000,
    times: 5,
    act: (world, round) => killDaemonInSwitchover(world, [10, 40, 70, 100, 150, 200, 25, 55, 85, 125][round % 10] ?? 0),
  },
  { name: "SIGSTOP of the leader's postmaster", rows: "kept", withinMs: 15_000, act: (world) => suspend(world, false) },
  { name: "SIGSTOP of all the leader's processes", rows: "kept", withinMs: 15_000, act: (world) => suspend(world, true) },
  {
    name: "perch down and up",
    endsLoad: true,
    rows: "kept",
    withinMs: 60_000,
    act: async (world) => {
      await world.ok("down");
      await world.ok("up");
    },
  },
  {
    name: "the leader's data directory removed",
    rows: "may be lost",
    withinMs: 20_000,
    act: (world) => loseLeader(world, (data) => rm(data, { recursive: true, force: true })),
  },
  {
    name: "the leader's data directory removed, synchronous",
    rows: "kept",
    withinMs: 20_000,
    act: (world) => loseLeader(world, (data) => rm(data, { recursive: true, force: true })),
  },
  {
    name: "the leader's data directory renamed, synchronous",
    rows: "kept",
    withinMs: 20_000,
    act: (world) => loseLeader(world, (data) => rename(data, `${data}.away`)),
  },
];
