import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PoolStatus } from "../../src/api/schemas.ts";
import { pause } from "../../src/base/deadline.ts";
import { findProgram } from "../../src/host/files/files.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { signalProcess } from "../../src/host/process/process.ts";
import { runToEnd, succeeded } from "../support/perch.ts";
import { recordProcess } from "../support/processes.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/** What can go wrong with poolers, and who is told what. One story: each test goes on where the one before it ended. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))("a pooler in trouble", () => {
  const world = worldIn();
  const { ok, error } = world;
  const pool = () => world.json<PoolStatus>("postgres", "pool", "status", "-a", "pg");
  const poolers = async () => (await processesOf(world.root)).filter(({ command }) => command.includes("pgbouncer"));
  const leading = async () =>
    (await poolers()).find(({ command }) => command.includes("leader")) ?? (await known(undefined));
  const psql = (...args: string[]) => ok("run", "-a", "web", "--", "psql", "-qtA", ...args);
  const answers = async () => (await world.perch(["run", "-a", "web", "--", "psql", "-c", "SELECT 1"])).code === 0;
  const sleeping = (seconds: number) => [
    "run",
    "-a",
    "web",
    "--",
    "psql",
    "-c",
    `BEGIN; SELECT pg_sleep(${seconds}); COMMIT`,
  ];
  const role = async () => world.sql((await world.leader()).id, "SELECT FROM pg_roles WHERE rolname = 'perch_pooler'");

  beforeAll(async () => {
    await ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await ok("apps", "create", "web");
  });
  afterAll(() => ok("down"));

  it("is refused with more connections than PostgreSQL takes, and nothing is left of it", async () => {
    expect(await error("postgres", "pool", "on", "-a", "pg", "--size", "1000")).toMatchObject({
      code: "size_invalid",
      exit: 2,
    });
    expect(await role()).toEqual([]);
    expect(await pool()).toMatchObject({ on: false, poolers: [] });
  });

  it("is refused where another program has one of its ports, and nothing is left of it", async () => {
    const { address } = await world.replica();
    const listen = `require("net").createServer().listen(6433, ${JSON.stringify(address)}, () => console.log("listens"))`;
    const other = await world.begin(["run", "--", process.execPath, "-e", listen]);
    await recordProcess(other.pid);
    await eventually("the other one listens", () => other.stdout().includes("listens"));
    const refused = await error("postgres", "pool", "on", "-a", "pg");
    expect(refused).toMatchObject({ code: "pooler_failed", exit: 1 });
    expect(refused.message).toContain(`${address}:6433`);
    await eventually("none is left", async () => (await poolers()).length === 0);
    expect(await role()).toEqual([]);
    expect((await world.cluster()).pool).toBeNull();
    other.kill("SIGTERM");
    await other.ended;
  });

  it("is gone on with when perchd is killed while it is made, and its role's password is put right when somebody changes it", async () => {
    const perchd = await known((await world.status()).daemon.pid);
    const asked = world.client.call("setPool", { params: { cluster: "pg" }, body: {} }).catch(() => undefined);
    await eventually("it is begun", async () => (await role()).length === 1);
    await killHard([perchd]);
    await asked;
    await ok("up");
    const events = () => ok("events", "-a", "pg");
    await eventually("it is whole", async () => (await events()).includes("the pooler of pg is as it was asked for"));
    expect((await pool()).poolers.map(({ state }) => state)).toEqual(["started", "started", "started"]);
    const made = async () => (await events()).split("make the role perch_pooler").length - 1;
    const before = await made();
    await world.sql((await world.leader()).id, "ALTER ROLE perch_pooler PASSWORD 'of somebody else'");
    await eventually("it is put right", async () => (await made()) > before);
    expect((await pool()).poolers.map(({ note }) => note)).toEqual([undefined, undefined, undefined]);
  });

  it("is no reason for the doctor to doubt the URL, and status says what a driver must know of it", async () => {
    await ok("postgres", "pool", "on", "-a", "pg", "--mode", "transaction", "--no-prepared-statements");
    await ok("postgres", "attach", "pg", "--app", "web", "--pooled");
    expect(await ok("doctor", "-a", "web")).toMatch(
      /^ok +url .*@pg\.internal:6432\/web, as the attachment to pg has it$/m,
    );
    expect(await pool()).toMatchObject({ mode: "transaction", preparedStatements: false });
    expect((await world.cluster()).pool?.note).toContain("no client may prepare statements through it");
  });

  it("opens a database that was dropped and made anew under its name", async () => {
    for (const round of [1, 2]) {
      await ok("postgres", "db", "create", "again", "-a", "pg", "--owner", "web");
      expect(await psql("-d", "again", "-c", `SELECT ${round}`)).toBe(`${round}\n`);
      await ok("postgres", "db", "drop", "again", "-a", "pg", "--yes");
    }
    const { counts } = (await pool()).poolers.find(({ id }) => id === "leader") ?? {};
    expect(counts?.waiting).toBe(0);
    expect(counts?.servers).toBeGreaterThan(0);
    expect(await ok("postgres", "db", "list", "-a", "pg")).not.toContain("perch_pooler");
  });

  it("is ended and started again when a signal stopped it", async () => {
    const stopped = await leading();
    await signalProcess(stopped, "SIGSTOP");
    const { ms } = await eventually("queries go through again", answers, 30_000);
    process.stderr.write(`stopped pooler replaced: ${Math.round(ms)} ms\n`);
    expect((await leading()).pid).not.toBe(stopped.pid);
    expect(await ok("events", "-a", "pg")).toContain("end the pooler of pg: it does not answer for 3 s.");
  });

  it("is replaced when perchd was killed before it wrote down its number, and `up` waits for it", async () => {
    const lost = await leading();
    await killHard([await known((await world.status()).daemon.pid)]);
    rmSync(join(world.home.postgres, "pool", "pg", "pg-leader", "pid"));
    await ok("up");
    expect(await psql("-c", "SELECT 1")).toBe("1\n");
    expect((await poolers()).map(({ pid }) => pid)).not.toContain(lost.pid);
    expect(await poolers()).toHaveLength(3);
  });

  it.skipIf(!isRoot())(
    "works on when PgBouncer is taken off the machine, and who then asks for one is told what to install",
    async () => {
      const program = (await findProgram("pgbouncer")) ?? "";
      await killHard([await known((await world.status()).daemon.pid)]);
      // A perchd that sees nothing to run where the program was.
      const hide = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        'mount --bind /dev/null "$1" && shift && exec "$@"',
        "hide",
        program,
      ];
      succeeded(
        await runToEnd([...hide, process.execPath, "dist/cli/main.js", "up"], { env: { PERCH_HOME: world.root } }),
      );
      expect(await psql("-c", "SELECT 1")).toBe("1\n");
      expect((await world.cluster()).members.map(({ state }) => state)).toEqual(["started", "streaming"]);
      const refused = await error("postgres", "pool", "on", "-a", "pg", "--mode", "session");
      expect(refused).toMatchObject({ code: "pooler_missing" });
      await killHard([await known((await world.status()).daemon.pid)]);
      await ok("up");
      expect(await psql("-c", "SELECT 1")).toBe("1\n");
    },
  );

  it("waits two seconds for a transaction before a switchover ends it, and ends nobody else's", async () => {
    const [endless, patient] = [await world.begin(sleeping(60)), await world.begin(sleeping(1))];
    const [before, asked] = [
      (await world.leader()).id,
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE 'BEGIN; SELECT pg_sleep%'",
    ];
    await eventually("both are at work", async () => (await world.sql<{ n: number }>(before, asked))[0]?.n === 2);
    const { ms } = await timed(
      "switchover with a transaction that does not end",
      ok("postgres", "failover", "-a", "pg"),
    );
    expect(ms).toBeGreaterThan(2_000);
    expect((await patient.ended).code).toBe(0);
    expect((await endless.ended).code).not.toBe(0);
    expect(await psql("-c", "SELECT 1")).toBe("1\n");
    expect((await world.leader()).id).not.toBe(before);
  });

  it("lets its clients go on within eight seconds when perchd is killed while it keeps them waiting for a switchover", async () => {
    const program = 'while psql -qtAc "SELECT 1" "$DATABASE_URL"; do sleep 0.05; done';
    const asks = await world.begin(["run", "-a", "web", "--", "sh", "-c", program]);
    const answered = () => asks.stdout().split("\n").length;
    const endless = await world.begin(sleeping(60));
    const { id } = await world.leader();
    await eventually(
      "it is at work",
      async () =>
        (await world.sql(id, "SELECT FROM pg_stat_activity WHERE query LIKE 'BEGIN; SELECT pg_sleep%'")).length === 1,
    );
    const perchd = await known((await world.status()).daemon.pid);
    const asked = world.client.call("failover", { params: { cluster: "pg" }, body: {} }).catch(() => undefined);
    await eventually("nobody is answered any more", async () => {
      const before = answered();
      await pause(400);
      return answered() === before;
    });
    await killHard([perchd]);
    const from = answered();
    const { ms } = await eventually("clients go on", () => answered() > from, 20_000);
    process.stderr.write(`paused pooler goes on after perchd is killed: ${Math.round(ms)} ms\n`);
    expect(ms).toBeLessThan(8_000);
    await asked;
    for (const run of [asks, endless]) run.kill("SIGKILL");
    await ok("up");
    expect(await psql("-c", "SELECT 1")).toBe("1\n");
  });

  it("goes with its cluster", async () => {
    await ok("postgres", "destroy", "pg", "--yes", "--detach");
    expect(await poolers()).toEqual([]);
  });
});
