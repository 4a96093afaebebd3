import { stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { occupants } from "../../src/host/process/occupants.ts";
import { awaitEnd, signalProcess } from "../../src/host/process/process.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { runToEnd, start, succeeded } from "../support/perch.ts";
import { recordProcess } from "../support/processes.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, netnsOf } from "../support/traces.ts";
import { catchProcess } from "../support/catch-process.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * Who leads, as a user asks for it. One story: each test goes on where the one before it ended. What faults do is in
 * test/faults/.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("who leads a cluster", () => {
  const world = worldIn();
  const { ok, error } = world;
  const roles = async () =>
    (await world.cluster()).members.map(({ role, region, state }) => `${role} ${region} ${state}`).toSorted();
  /** By the leader's own word: what status says may be from before the leader was started again. */
  const followers = async () => {
    const rows = world.sql<{ n: number }>(
      (await world.leader()).id,
      "SELECT count(*)::int AS n FROM pg_stat_replication WHERE state = 'streaming'",
    );
    return (await rows.catch(() => []))[0]?.n;
  };
  const whole = () =>
    eventually(
      "all stream",
      async () =>
        (await followers()) === 2 && (await roles()).filter((role) => role.endsWith("streaming")).length === 2,
    );
  const idOf = async (region: string, role: string) =>
    (await world.cluster()).members.find((one) => one.region === region && one.role === role)?.id ?? "";

  beforeAll(async () => {
    await ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
    await ok("apps", "create", "web");
    await ok("postgres", "attach", "pg", "--app", "web");
    await ok("run", "-a", "web", "--", "psql", "-c", "CREATE TABLE kept (n int)");
  });
  afterAll(() => ok("down"));

  it("changes by `failover`: the old leader is a replica of the new one within moments, and the URL stays", async () => {
    const before = (await world.leader()).id;
    expect(await ok("postgres", "failover", "-a", "pg")).toContain("leader");
    expect((await world.leader()).id).not.toBe(before);
    expect(
      await ok("run", "-a", "web", "--", "psql", "-tAc", "INSERT INTO kept VALUES (1) RETURNING pg_is_in_recovery()"),
    ).toContain("f\n");
    await whole();
    expect(await roles()).toEqual(["leader ams started", "replica ams streaming", "replica lhr streaming"]);
  });

  it("is said in events with the reason and how long connections waited", async () => {
    const events = await ok("events", "-a", "pg");
    expect(events).toMatch(/switchover of pg: it was asked for\./);
    expect(events).toMatch(/machine \w+ leads pg in place of \w+; connections waited \d+ ms/);
  });

  it("changes to the member that is named, and is content with the one that leads already", async () => {
    const to = await idOf("ams", "replica");
    await ok("postgres", "failover", "-a", "pg", "--to", to);
    await ok("postgres", "failover", "-a", "pg", "--to", to);
    expect((await world.leader()).id).toBe(to);
    await whole();
  });

  it("does not leave the primary region unless that is allowed", async () => {
    const lhr = await idOf("lhr", "replica");
    expect(await error("postgres", "failover", "-a", "pg", "--to", lhr)).toMatchObject({
      code: "region_secondary",
      exit: 1,
    });
    await ok("postgres", "failover", "-a", "pg", "--to", lhr, "--allow-secondary-region");
    await whole();
    expect(await world.cluster()).toMatchObject({
      primaryRegion: "ams",
      members: [{ id: lhr, role: "leader" }, {}, {}],
    });
    await ok("postgres", "failover", "-a", "pg");
    await whole();
    expect((await world.leader()).region).toBe("ams");
  });

  it("moves with its primary region by `promote`", async () => {
    const lhr = await idOf("lhr", "replica");
    expect(await ok("postgres", "promote", lhr, "-a", "pg")).toContain("primary region lhr");
    await whole();
    const near = await error("postgres", "failover", "-a", "pg");
    expect(near).toMatchObject({ code: "no_candidate" });
    await ok("postgres", "promote", await idOf("ams", "replica"), "-a", "pg");
    await whole();
  });

  it("refuses what does not exist, what does not stream, and two at once", async () => {
    expect(await error("postgres", "failover", "-a", "pg", "--to", "nobody")).toMatchObject({
      code: "machine_not_found",
    });
    expect(await error("postgres", "failover", "-a", "web")).toMatchObject({ code: "not_a_cluster" });
    expect(await error("postgres", "sync", "perhaps", "-a", "pg")).toMatchObject({ code: "usage_invalid", exit: 2 });
    const to = await idOf("ams", "replica");
    await ok("machine", "stop", to);
    expect(await error("postgres", "failover", "-a", "pg", "--to", to)).toMatchObject({ code: "replica_unfit" });
    expect(await error("postgres", "failover", "-a", "pg")).toMatchObject({ code: "no_candidate" });
    await ok("machine", "start", to);
    await whole();
    const twice = await Promise.all([
      world.perch(["postgres", "failover", "-a", "pg"]),
      world.perch(["postgres", "failover", "-a", "pg"]),
    ]);
    expect(twice.filter(({ code }) => code === 0).length).toBeGreaterThanOrEqual(1);
    await whole();
  });

  it("is not taken from a leader that was stopped on purpose, but by --force", async () => {
    const { id } = await world.leader();
    await ok("machine", "stop", id);
    expect(await error("postgres", "failover", "-a", "pg")).toMatchObject({ code: "leader_away" });
    await ok("postgres", "failover", "-a", "pg", "--force");
    expect((await world.leader()).id).not.toBe(id);
    expect(await ok("run", "-a", "web", "--", "psql", "-tAc", "SELECT count(*) FROM kept")).toBe("1\n");
    await ok("machine", "start", id);
    await whole();
  });

  it("stays through planned ends, however many within a minute: only what was not asked for is a death", async () => {
    const { id } = await world.leader();
    for (let time = 0; time < 4; time++) {
      await ok("machine", "stop", id);
      await ok("machine", "start", id);
    }
    await whole();
    expect((await world.leader()).id).toBe(id);
    for (let time = 0; time < 2; time++) await ok("postgres", "failover", "-a", "pg").then(whole);
    const { pid } = await world.leader();
    await killHard([await known(pid)]);
    await eventually("it is started again", async () => ![null, pid].includes((await world.leader()).pid));
    await whole();
    expect((await world.leader()).id).toBe(id);
    expect((await ok("events", "-a", "pg")).match(/ died |copied anew/g)).toBeNull();
  });

  it("waits for a replica with `sync on`, alone when none is there, and says so", async () => {
    expect(await ok("postgres", "sync", "on", "-a", "pg")).toContain(
      "a commit is acknowledged when a replica has it, too",
    );
    const { id } = await world.leader();
    const [row] = await world.sql<{ state: string }>(
      id,
      "SELECT sync_state AS state FROM pg_stat_replication WHERE sync_state <> 'async'",
    );
    expect(row?.state).toBe("quorum");
    const replica = await idOf("ams", "replica");
    await ok("machine", "stop", replica);
    await eventually("status says that it waits", async () => (await world.cluster()).synchronous === "waiting");
    await world.sql(id, "INSERT INTO kept VALUES (2)", "web");
    await ok("machine", "start", replica);
    await eventually("a replica is waited for again", async () => (await world.cluster()).synchronous === "on");
    // A replica has it in its files already: whoever is connected to it when it is promoted is not acknowledged alone,
    // either.
    expect(await world.sql(replica, "SHOW synchronous_standby_names")).toEqual([
      { synchronous_standby_names: `ANY 1 ("${id}")` },
    ]);
    await ok("postgres", "sync", "off", "-a", "pg");
    const rows = await world.sql(id, "SELECT FROM pg_stat_replication WHERE sync_state <> 'async'");
    expect(rows).toEqual([]);
    await whole();
  });

  it.skipIf(!isRoot())("keeps who comes during a change with `sync on`, and drops none of them", async () => {
    const inside = ["nsenter", `--net=${netnsOf(world.root)}`, "--"];
    const nft = async (command: string) => succeeded(await runToEnd([...inside, "nft", command]));
    await ok("postgres", "sync", "on", "-a", "pg");
    // Who waited comes out of the door before this chain of Perch's, and has passed it after.
    await nft("add table inet counts");
    for (const [chain, priority] of [
      ["came", -400],
      ["passed", -250],
    ] as const) {
      await nft(`add chain inet counts ${chain} { type filter hook prerouting priority ${priority}; }`);
      await nft(`add rule inet counts ${chain} iifname "perch-door" tcp flags & (syn | ack) == syn counter`);
    }
    const { address } = await world.leader();
    const knock = `setInterval(() => { const s = require("net").connect(5432, ${JSON.stringify(address)}); s.on("connect", () => s.destroy()).on("error", () => 0); }, 20); console.log("knocks");`;
    const knocking = await start([...inside, process.execPath, "-e", knock]);
    await recordProcess(knocking.pid);
    await eventually("somebody knocks", () => knocking.stdout().includes("knocks"));
    await ok("postgres", "failover", "-a", "pg");
    await ok("run", "-a", "web", "--", "psql", "-tAc", "SELECT 1"); // one more who waits
    knocking.kill("SIGKILL");
    await knocking.ended;
    const counted = [...(await nft("list table inet counts")).matchAll(/packets (\d+)/g)].map(([, packets]) =>
      Number(packets),
    );
    expect(counted[0]).toBeGreaterThan(0);
    expect(counted[1]).toBe(counted[0]);
    await nft("delete table inet counts");
    await ok("postgres", "sync", "off", "-a", "pg");
    await whole();
  });

  it("asks before it changes where that takes what no replica has, says what it took, and restarts in place", async () => {
    const before = (await world.leader()).id;
    await world.sql(before, "CREATE UNLOGGED TABLE scratch AS SELECT 1 AS n", "web");
    expect(await error("postgres", "failover", "-a", "pg")).toMatchObject({
      code: "change_loses",
      exit: 1,
      message: expect.stringContaining("web.public.scratch") as string,
    });
    expect(await error("postgres", "promote", await idOf("ams", "replica"), "-a", "pg")).toMatchObject({
      code: "change_loses",
    });
    await ok("postgres", "restart", "-a", "pg");
    await whole();
    expect((await world.leader()).id).toBe(before);
    expect(await world.sql(before, "SELECT count(*)::int AS n FROM scratch", "web")).toEqual([{ n: 1 }]);
    await ok("postgres", "failover", "-a", "pg", "--yes");
    const { id } = await world.leader();
    expect(await world.sql(id, "SELECT count(*)::int AS n FROM scratch", "web")).toEqual([{ n: 0 }]);
    await eventually("events say so", async () =>
      (await ok("events", "-a", "pg")).includes("took the rows of the unlogged table web.public.scratch"),
    );
    await world.sql(id, "DROP TABLE scratch", "web");
    await whole();
  });

  it("moves by `restart` to a replica that was restarted, and every member has the new settings", async () => {
    const before = (await world.leader()).id;
    await ok("postgres", "config", "update", "-a", "pg", "max_connections=330");
    await ok("postgres", "restart", "-a", "pg");
    await whole();
    expect((await world.leader()).id).not.toBe(before);
    for (const { id } of (await world.cluster()).members)
      expect(await world.sql(id, "SHOW max_connections")).toEqual([{ max_connections: "330" }]);
    await ok("postgres", "config", "update", "-a", "pg", "--unset", "max_connections");
    await ok("postgres", "restart", "-a", "pg");
    await whole();
    for (const { id } of (await world.cluster()).members)
      expect(await world.sql(id, "SHOW max_connections")).toEqual([{ max_connections: "300" }]);
  });

  it("goes on with a `restart` in the middle of which perchd was killed: every member is restarted, and it says so", async () => {
    const pids = async () => new Map((await world.cluster()).members.map(({ id, pid }) => [id, pid]));
    const before = await pids();
    const changed = async () =>
      [...(await pids())].filter(([id, pid]) => pid !== null && pid !== before.get(id)).length;
    const restart = await world.begin(["postgres", "restart", "-a", "pg"]);
    await eventually("one of three is restarted", async () => (await changed()) > 0);
    expect(await error("postgres", "restart", "-a", "pg")).toMatchObject({ code: "busy" });
    await killHard([await known((await world.status()).daemon.pid)]);
    await restart.ended;
    await ok("up");
    await eventually("all are restarted", async () => (await changed()) === 3, 60_000);
    await whole();
    await eventually("it is through", async () =>
      /restarted, replicas first/.test((await ok("events", "-a", "pg")).split("goes on").at(-1) ?? ""),
    );
    expect(await ok("events", "-a", "pg")).toMatch(
      /the restart of pg that an ended perchd had begun goes on[^]*cluster pg was restarted/,
    );
  });

  it.each(["stands still in its data", "has done its work, of which nobody knows"])(
    "takes a member back that somebody promoted, though perchd is killed while pg_rewind %s",
    async (moment) => {
      const [leader, id] = [(await world.leader()).id, await idOf("ams", "replica")];
      const dataOf = (member: string) => layout(world.home, member).data;
      const numbers = async (members: readonly string[]) =>
        Promise.all(members.map(async (member) => `${member} ${(await stat(dataOf(member))).ino}`));
      // Nobody can tell how far pg_rewind came: its data stays until a copy streams. The data of others is not touched.
      const others = (await world.cluster()).members.map((member) => member.id).filter((member) => member !== id);
      const before = await numbers(others);
      const cutShort = async () =>
        (await ok("events", "-a", "pg", "-n", "1000")).split("rewound when that was cut short");
      const times = (await cutShort()).length;
      const perchd = await known((await world.status()).daemon.pid);
      await signalProcess(perchd, "SIGSTOP");
      await world.sql(id, "SELECT pg_promote()");
      await world.sql(
        id,
        "CREATE TABLE stray AS SELECT n, repeat('x', 500) FROM generate_series(1, 50000) AS n",
        "web",
      );
      const caught = catchProcess("pg_rewind", id);
      await signalProcess(perchd, "SIGCONT");
      const rewinding = await caught;
      if (moment.startsWith("has")) {
        await signalProcess(perchd, "SIGSTOP");
        await signalProcess(rewinding, "SIGCONT");
        expect(await awaitEnd(rewinding, 60_000)).toBe(true);
      }
      await killHard([perchd]);
      await world.sql(leader, "INSERT INTO kept VALUES (3)", "web");
      await ok("up");
      await whole();
      const rows = (member: string) => world.sql(member, "SELECT n FROM kept ORDER BY n", "web");
      const has = await rows(leader);
      await eventually("it has what the leader has", async () => isDeepStrictEqual(await rows(id), has));
      expect(await world.sql(id, "SELECT to_regclass('public.stray') AS stray", "web")).toEqual([{ stray: null }]);
      expect([await numbers(others), await occupants(dataOf(id), "pg_rewind")]).toEqual([before, []]);
      expect((await cutShort()).length).toBe(times + 1);
    },
    180_000,
  );
});
