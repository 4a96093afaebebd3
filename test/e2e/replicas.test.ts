import { memberPort } from "../../src/model/ports.ts";
import { execFileSync } from "node:child_process";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../src/base/deadline.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { occupants } from "../../src/host/process/occupants.ts";
import { isSuspended, signalProcess } from "../../src/host/process/process.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { diskAt } from "../support/disk.ts";
import { tempHome } from "../support/temporary.ts";
import { killHard, known } from "../support/traces.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, operatorPassword, type World, worldIn } from "../support/world.ts";

/** Lets a replica that is stopped fall behind until what it needs is gone. */
function outrunning(world: World) {
  const oldest = async (leader: string) =>
    (
      await world.sql<{ name: string }>(
        leader,
        "SELECT min(right(name, 16)) AS name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'",
      )
    )[0]?.name ?? "";
  /** The segment in which a stopped member's WAL ends, as its control file says. */
  const newest = async (id: string) => {
    const bytes = await readFile(join(layout(world.home, id).data, "global", "pg_control"));
    const position = [bytes.readBigUInt64LE(32), bytes.readBigUInt64LE(136)].reduce((a, b) => (a > b ? a : b));
    const segment = position / 16_777_216n;
    return `${(segment / 256n).toString(16).padStart(8, "0")}${(segment % 256n).toString(16).padStart(8, "0")}`.toUpperCase();
  };

  /** Until the leader has given up what the slot of this replica kept. */
  return async function outrun(leader: string, id: string): Promise<void> {
    const gone = async () => {
      await world.sql(leader, "CREATE TABLE IF NOT EXISTS filler (); DROP TABLE filler; SELECT pg_switch_wal()");
      await world.sql(leader, "CHECKPOINT");
      const rows = await world.sql<{ name: string; status: string }>(
        leader,
        "SELECT slot_name AS name, wal_status AS status FROM pg_replication_slots",
      );
      return (
        rows.every(({ name, status }) => name !== `perch_${id}` || status === "lost") &&
        (await oldest(leader)) > (await newest(id))
      );
    };
    await eventually("the WAL it needs is gone", gone, 60_000);
  };
}

/**
 * Replicas that do not stream: whose data stays, what is said of it, and what is done. One story: each test goes on
 * where the one before it ended.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("a replica that does not stream", () => {
  const world = worldIn();
  const { ok } = world;
  const outrun = outrunning(world);
  const dataOf = (id: string) => layout(world.home, id).data;
  /** The number of a data directory: another one, though it has the same name, has another. */
  const numbers = async () => {
    const found = await Promise.all(
      (await world.cluster()).members.map(async ({ id }) => `${id} ${(await stat(dataOf(id))).ino}`),
    );
    return found.toSorted((a, b) => a.localeCompare(b));
  };
  const replicas = async () => (await world.cluster()).members.filter(({ role }) => role === "replica");
  const streams = () =>
    eventually(
      "both replicas stream",
      async () => (await replicas()).filter(({ state }) => state === "streaming").length === 2,
      60_000,
    );
  const events = () => ok("events", "-a", "pg", "-n", "200");
  const near = async () => (await replicas()).find(({ region }) => region === "ams")?.id ?? "";

  /** Ends every walsender of the leader's and takes its place, until none is left for a replica. */
  async function fillSenders(leader: string): Promise<{ end(): Promise<void> }> {
    const { Client } = (await import("pg")).default;
    const held: pg.Client[] = [];
    const take = async () => {
      const options = {
        host: layout(world.home, leader).sockets,
        port: memberPort,
        user: "postgres",
        password: operatorPassword,
        replication: "database",
      };
      const client = new Client(options);
      client.on("error", () => undefined);
      await client.connect();
      held.push(client);
    };
    for (let left = 20; left > 0; left--) await take().catch(() => undefined);
    const endReplicas = () =>
      world.sql(
        leader,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name ~ '^[0-9a-f]{14}$'",
      );
    await eventually(
      "no walsender is left for a replica",
      async () => {
        await endReplicas();
        for (let left = 3; left > 0; left--) await take().catch(() => undefined);
        return (await replicas()).every(({ state }) => state !== "streaming");
      },
      30_000,
    );
    return { end: async () => void (await Promise.all(held.map((client) => client.end().catch(() => undefined)))) };
  }

  beforeAll(async () => {
    await ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
    await streams();
  });
  afterAll(() => ok("down"));

  it("because all WAL senders are taken keeps its data, and status and events say why", async () => {
    const before = await numbers();
    const senders = await fillSenders((await world.leader()).id);
    const until = performance.now() + 40_000;
    await eventually(
      "status says why",
      async () => (await replicas()).every(({ note }) => /max_wal_senders/.test(note ?? "")),
      20_000,
    );
    while (performance.now() < until) {
      expect(await numbers()).toEqual(before);
      await pause(500);
    }
    expect(await events()).toMatch(/replica \w+ in ams: it does not stream from the leader: .*max_wal_senders/);
    expect(await events()).not.toMatch(
      /copy the leader to the replica \w+ in (ams|lhr): it (fell|cannot)|restart the replica/,
    );
    await senders.end();
    await streams();
    await eventually("events say that it is over", async () => /is well again/.test(await events()));
    expect(await numbers()).toEqual(before);
  });

  it("because its password is not the leader's keeps its data, and one that somebody wrote into its file is put right", async () => {
    const before = await numbers();
    const leader = (await world.leader()).id;
    const [id] = [await near()];
    const { pass } = layout(world.home, id);
    const right = await readFile(pass, "utf8");
    await writeFile(pass, right.replace(/[^:]+$/, "wrong\n"));
    await eventually("the file is right again", async () => (await readFile(pass, "utf8")) === right, 20_000);
    const [row] = await world.sql<{ verifier: string }>(
      leader,
      "SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = 'replicator'",
    );
    await world.sql(leader, "ALTER ROLE replicator PASSWORD 'another'");
    await world.sql(leader, "SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    await eventually(
      "status says why",
      async () => (await replicas()).every(({ note }) => /password authentication failed/.test(note ?? "")),
      30_000,
    );
    await world.sql(leader, `ALTER ROLE replicator PASSWORD '${row?.verifier ?? ""}'`);
    await streams();
    expect(await numbers()).toEqual(before);
  });

  it("because its slot is gone and no other is free keeps its data", async () => {
    const before = await numbers();
    const leader = (await world.leader()).id;
    // Of a physical slot there may be as many as max_replication_slots, which is 16.
    await world.sql(
      leader,
      "SELECT pg_create_physical_replication_slot('taken_' || n) FROM generate_series(1, 14) AS n",
    );
    for (const { id } of await replicas()) {
      const taken = async () => {
        await world.sql(
          leader,
          `SELECT pg_terminate_backend(active_pid, 1000) FROM pg_replication_slots WHERE slot_name = 'perch_${id}' AND active`,
        );
        await world.sql(
          leader,
          `SELECT pg_drop_replication_slot('perch_${id}'); SELECT pg_create_physical_replication_slot('also_${id}')`,
        );
        return true;
      };
      await eventually("its place is taken", () => taken().catch(() => undefined), 30_000);
    }
    await eventually(
      "status says why",
      async () => (await replicas()).every(({ note }) => /slot/.test(note ?? "")),
      30_000,
    );
    await pause(35_000);
    expect(await numbers()).toEqual(before);
    await world.sql(
      leader,
      "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name !~ '^perch_'",
    );
    await streams();
    expect(await numbers()).toEqual(before);
  }, 180_000);

  it("because its leader stands still, again and again, keeps its data", async () => {
    const before = await numbers();
    const leader = await known((await world.leader()).pid);
    for (let times = 0; times < 8; times++) {
      for (const one of await occupants(dataOf((await world.leader()).id), "postgres"))
        await signalProcess(one, "SIGSTOP");
      await pause(4_000);
    }
    await eventually("it goes on", async () => !(await isSuspended(leader)), 30_000);
    await streams();
    expect(await numbers()).toEqual(before);
  }, 120_000);

  it("because the WAL it needs is gone is copied beside its data, which goes when the copy streams", async () => {
    const leader = (await world.leader()).id;
    const id = await near();
    const before = (await stat(dataOf(id))).ino;
    await ok("postgres", "config", "update", "-a", "pg", "max_slot_wal_keep_size=1MB");
    await ok("machine", "stop", id);
    await outrun(leader, id);
    await ok("machine", "start", id);
    const kept = new Set<number>();
    await eventually(
      "it streams from a new copy",
      async () => {
        for (const name of await readdir(layout(world.home, id).root))
          if (/^data(\.old)?$/.test(name)) kept.add((await stat(join(layout(world.home, id).root, name))).ino);
        const now = await stat(dataOf(id)).catch(() => undefined);
        return (
          now !== undefined && now.ino !== before && (await replicas()).every(({ state }) => state === "streaming")
        );
      },
      90_000,
    );
    await eventually(
      "nothing is left beside it",
      async () => (await readdir(layout(world.home, id).root)).filter((name) => name.startsWith("data.")).length === 0,
    );
    expect(kept.has(before)).toBe(true);
    expect(await events()).toMatch(/the former data of machine \w+ is removed: the leader \w+ has everything/);
  });

  it("in the middle of that, whenever perchd is killed, has data, and streams in the end", async () => {
    const leader = (await world.leader()).id;
    const id = await near();
    await world.sql(leader, "CREATE TABLE big AS SELECT n, repeat('x', 500) AS x FROM generate_series(1, 400000) AS n");
    for (const moment of ["data.new-", "data.next", "data.old"]) {
      const before = (await stat(dataOf(id))).ino;
      await ok("machine", "stop", id);
      await outrun(leader, id);
      const started = world.perch(["machine", "start", id]);
      await eventually(
        `there is ${moment}`,
        async () => (await readdir(layout(world.home, id).root)).some((name) => name.startsWith(moment)),
        60_000,
      );
      await killHard([await known((await world.status()).daemon.pid)]);
      await started;
      const names = await readdir(layout(world.home, id).root);
      expect(names.includes("data") || names.includes("data.old")).toBe(true);
      await ok("up");
      await eventually(
        "it streams from a new copy",
        async () =>
          (await stat(dataOf(id)).catch(() => undefined))?.ino !== before &&
          (await replicas()).every(({ state }) => state === "streaming"),
        120_000,
      );
    }
    await eventually(
      "nothing is left beside it",
      async () => (await readdir(layout(world.home, id).root)).filter((name) => name.startsWith("data.")).length === 0,
    );
    expect(await world.sql(id, "SELECT count(*)::int AS n FROM big")).toEqual([{ n: 400_000 }]);
  }, 400_000);

  it("is not cleared for slots that were lost between two changes of leader, and a former leader keeps no WAL for its own", async () => {
    await ok("postgres", "config", "update", "-a", "pg", "max_slot_wal_keep_size=100MB");
    const before = await numbers();
    const former = (await world.leader()).id;
    await ok("postgres", "failover", "-a", "pg");
    await streams();
    await eventually(
      "the former leader has no slot",
      async () => (await world.sql(former, "SELECT FROM pg_replication_slots")).length === 0,
    );
    const leader = (await world.leader()).id;
    for (let times = 0; times < 4; times++)
      await world.sql(
        leader,
        "CREATE TABLE heap AS SELECT n, repeat('y', 400) AS y FROM generate_series(1, 150000) AS n; DROP TABLE heap; CHECKPOINT",
      );
    await streams();
    await ok("postgres", "failover", "-a", "pg", "--to", former);
    await streams();
    expect(await numbers()).toEqual(before);
    await world.sql(leader, "CHECKPOINT");
    const [wal] = await world.sql<{ mb: number }>(
      leader,
      "SELECT (sum(size) / 1048576)::int AS mb FROM pg_ls_waldir()",
    );
    process.stderr.write(`WAL of the former leader: ${wal?.mb} MB\n`);
    expect(await events()).not.toMatch(/copy the leader to the replica \w+ in lhr: it (fell|cannot)/);
  }, 200_000);
});

/** On a disk of its own, which has no room for a copy. Mounting it takes root. */
describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "mount", "umount"))(
  "a replica whose WAL is gone, on a disk without room",
  () => {
    const root = tempHome();
    const world = worldIn(root);
    const disk = diskAt(root);
    beforeAll(async () => {
      disk.mount("size=1200m");
      await world.ok("up");
      await world.create("pg", "--initial-cluster-size", "2");
    });
    afterAll(async () => {
      await world.ok("down");
      await disk.unmount();
    });

    it("keeps its data and runs on, and status says what a copy takes; with room it is copied", async () => {
      const [{ id: leader }, { id }] = [await world.leader(), await world.replica()];
      await world.sql(
        leader,
        "CREATE TABLE big AS SELECT n, repeat('x', 500) AS x FROM generate_series(1, 200000) AS n",
      );
      await world.ok("postgres", "config", "update", "-a", "pg", "max_slot_wal_keep_size=1MB");
      await eventually("it streams", async () => (await world.replica()).state === "streaming");
      await world.ok("machine", "stop", id);
      await outrunning(world)(leader, id);
      const { ino } = await stat(layout(world.home, id).data);
      const used = Number(execFileSync("df", ["--output=used", "-k", root], { encoding: "utf8" }).split("\n")[1]);
      execFileSync("mount", ["-o", `remount,size=${used + 90_000}k`, root]);
      await world.ok("machine", "start", id);
      const told = async () =>
        /cannot be copied: it takes [\d.]+ MB, and [\d.]+ MB are free/.test((await world.replica()).note ?? "");
      await eventually("status says what it takes", told, 40_000);
      expect((await stat(layout(world.home, id).data)).ino).toBe(ino);
      expect(await world.sql(id, "SELECT pg_is_in_recovery() AS follows")).toEqual([{ follows: true }]);
      execFileSync("mount", ["-o", "remount,size=1500m", root]);
      const copied = async () =>
        (await world.replica()).state === "streaming" && (await stat(layout(world.home, id).data)).ino !== ino;
      await eventually("it is copied, and streams", copied, 90_000);
    }, 240_000);
  },
);
