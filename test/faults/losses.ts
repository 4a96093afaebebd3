/** What is taken from a member, or done to it behind Perch's back. */
import { rename, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../../src/base/deadline.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { start } from "../support/perch.ts";
import { recordProcess } from "../support/processes.ts";
import { killHard, netnsOf } from "../support/traces.ts";
import { eventually, type World } from "../support/world.ts";
import { daemonProcess, killDaemonInSwitchover, killLeader, leaderProcess, near } from "./deeds.ts";

/** What is lost is the leader's for good: the fault is over when another leads. */
async function loseLeader(world: World, lose: (data: string) => Promise<unknown>): Promise<void> {
  const { id } = await world.leader();
  await lose(layout(world.home, id).data);
  await eventually("another leads", async () => (await world.leader()).id !== id, 30_000);
}
/**
 * Its WAL goes in one step, before the rest: file by file, a session that writes for the first time in between makes
 * the file again that the walsender has open, and PostgreSQL acknowledges what no replica has (docs/decisions/0043).
 */
export const removeData = (world: World) =>
  loseLeader(world, async (data) => {
    const wal = `${data}.wal-${Date.now()}`;
    await rename(join(data, "pg_wal"), wal);
    await rm(data, { recursive: true, force: true, maxRetries: 10 });
    await rm(wal, { recursive: true, force: true, maxRetries: 10 });
  });
export const renameData = (world: World) => loseLeader(world, (data) => rename(data, `${data}.away-${Date.now()}`));
export const removeControlFile = (world: World) => loseLeader(world, (data) => unlink(join(data, "global/pg_control")));
/**
 * At any moment of the three seconds after another leads: who has not yet whom it waits for would acknowledge alone.
 */
async function soonAfterSwitchover(world: World, act: () => Promise<unknown>): Promise<void> {
  const { id } = await world.leader();
  const done = world.client.call("failover", { params: { cluster: "pg" }, body: {} }).catch(() => undefined);
  await eventually("another leads", async () => (await world.leader()).id !== id, 30_000);
  await pause(Math.random() * 3_000);
  await act();
  await done;
}
export const removeDataSoon = (world: World) => soonAfterSwitchover(world, () => removeData(world));
export const killLeaderSoon = (world: World) => soonAfterSwitchover(world, () => killLeader(world));
/**
 * perchd dies in the switchover, the new leader's data after it: what the next perchd finds must not acknowledge alone,
 * either.
 */
export async function removeDataAfterDaemon(world: World, round: number): Promise<void> {
  await killDaemonInSwitchover(world, round);
  await pause(Math.random() * 1_000);
  await removeData(world);
}
/** A server goes on with files that are open; the next crash shows what is missing. */
export const removeWal = (world: World) =>
  loseLeader(world, async (data) => {
    await rm(join(data, "pg_wal"), { recursive: true, force: true, maxRetries: 10 });
    await killLeader(world);
  });

/**
 * By somebody who does not ask Perch, and who then writes there, as far as Perch is not quicker. It is over when that
 * is undone.
 */
export async function promoteByHand(world: World): Promise<void> {
  const { id } = await near(world);
  await world.sql(id, "SELECT pg_promote()").catch(() => undefined);
  await world.sql(id, "CREATE TABLE stray AS SELECT generate_series(1, 1000)", "web").catch(() => undefined);
  const undone = async () => {
    const [row] = await world.sql<{ follows: boolean }>(
      id,
      "SELECT pg_is_in_recovery() AND to_regclass('stray') IS NULL AS follows",
      "web",
    );
    return row?.follows;
  };
  await eventually("it follows again", () => undone().catch(() => undefined), 90_000);
}

/**
 * The leader dies, and before it is started again somebody else listens where it did, until another leads and it is
 * said why.
 */
export async function takePort(world: World): Promise<void> {
  const { id, address, port } = await world.leader();
  const [leader, daemon] = [await leaderProcess(world), await daemonProcess(world)];
  process.kill(daemon.pid, "SIGSTOP");
  await killHard([leader]);
  const listen = `require("node:net").createServer().listen(${port}, "${address}", () => console.log("listens"))`;
  const squatter = await start(["nsenter", `--net=${netnsOf(world.root)}`, process.execPath, "-e", listen]);
  await recordProcess(squatter.pid);
  await eventually("somebody else listens", () => squatter.stdout().includes("listens"), 30_000).finally(() =>
    process.kill(daemon.pid, "SIGCONT"),
  );
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
