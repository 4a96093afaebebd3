import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PoolStatus } from "../../src/api/schemas.ts";
import { ledgerTable } from "../support/proof.ts";
import { recordProcess } from "../support/processes.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

const writer = fileURLToPath(new URL("../support/writer.ts", import.meta.url));

/** PgBouncer before a cluster. One story: each test goes on where the one before it ended. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))("the pooler of a cluster", () => {
  const world = worldIn();
  const { ok, error } = world;
  const pool = () => world.json<PoolStatus>("postgres", "pool", "status", "-a", "pg");
  const poolers = async () => (await processesOf(world.root)).filter(({ command }) => command.includes("pgbouncer"));
  const psql = (...args: string[]) => ok("run", "-a", "web", "--", "psql", "-qtA", ...args);
  /** Clients that write, and what they were told. Words of a line: when, client, number, what became of it. */
  async function load(clients: number) {
    const path = join(temporaryDirectory(), "ledger");
    const program = await world.begin([
      "run",
      "-a",
      "web",
      "--",
      process.execPath,
      "--import",
      "tsx",
      writer,
      path,
      String(clients),
    ]);
    await recordProcess(program.pid);
    const lines = () => (existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : []);
    const goesOn = async () => {
      const from = lines().length;
      await eventually("writes go on", () => lines().length > from + 200);
    };
    const end = async () => {
      program.kill("SIGTERM");
      await program.ended;
      return lines().map((line) => line.split(" "));
    };
    await goesOn();
    return { goesOn, end };
  }
  const rows = async () =>
    (await world.sql<{ count: number }>((await world.leader()).id, "SELECT count(*)::int FROM ledger", "web"))[0]
      ?.count;
  const whole = () =>
    eventually("all run", async () => (await pool()).poolers.filter(({ state }) => state === "started").length === 3);

  beforeAll(async () => {
    await ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await ok("apps", "create", "web");
  });
  afterAll(() => ok("down"));

  it("is off until it is asked for, and an app cannot be attached through it", async () => {
    expect(await pool()).toMatchObject({ on: false, poolers: [] });
    expect(await error("postgres", "attach", "pg", "--app", "web", "--pooled")).toMatchObject({ code: "pool_off" });
  });

  it("stands on 6432 of every member when it is on, and attach --pooled leads through it", async () => {
    expect(await world.json("postgres", "pool", "on", "-a", "pg", "--size", "3")).toMatchObject({ on: true, size: 3 });
    // Some PgBouncers have it by default, and others have it where no client prepares:
    // test/examples/pooled-statements.test.ts.
    const transaction = ["--mode", "transaction", "--no-prepared-statements"];
    expect(await world.json("postgres", "pool", "on", "-a", "pg", ...transaction)).toMatchObject({
      on: true,
      mode: "transaction",
      size: 3,
    });
    expect(await poolers()).toHaveLength(3);
    await ok("postgres", "attach", "pg", "--app", "web", "--pooled");
    expect(await world.url()).toMatch(/@pg\.internal:6432\/web$/);
    expect(await psql("-c", "SELECT current_user, inet_server_port(), pg_is_in_recovery()")).toBe("web|5433|f\n");
    for (const { address } of (await world.cluster()).members)
      expect(
        await psql((await world.url()).replace("pg.internal", `[${address}]`), "-c", "SELECT pg_is_in_recovery()"),
      ).toBe("f\n");
  });

  it("leads on 6433 of a member to that member", async () => {
    const { address } = await world.replica();
    const there = (await world.url()).replace("pg.internal:6432", `[${address}]:6433`);
    expect(await psql(there, "-c", "SELECT pg_is_in_recovery()")).toBe("t\n");
  });

  it("lets clients share few servers in transaction mode", async () => {
    const many = await Promise.all(Array.from({ length: 8 }, () => psql("-c", "SELECT pg_backend_pid()")));
    expect(new Set(many).size).toBeLessThanOrEqual(3);
  });

  it("encrypts for who asks, with a certificate of the network", async () => {
    const ca = join(temporaryDirectory(), "ca.pem");
    writeFileSync(ca, await ok("certs", "ca"));
    expect(await psql(`${await world.url()}?sslmode=verify-full&sslrootcert=${ca}`, "-c", "SELECT 1")).toBe("1\n");
  });

  it("lets nobody in with a wrong password, nor as one of Perch's own roles", async () => {
    const attempt = async (user: string) =>
      world.perch([
        "run",
        "-a",
        "web",
        "--",
        "psql",
        `postgres://${user}:wrong@pg.internal:6432/web`,
        "-c",
        "SELECT 1",
      ]);
    for (const user of ["web", "perch", "replicator", "perch_pooler", "nobody"])
      expect((await attempt(user)).code, user).not.toBe(0);
    expect(await psql("-c", "SELECT pg_catalog.perch_pool_lookup('postgres')")).toBe("");
  });

  it("loses no query of a planned switchover, nor of a killed perchd", async () => {
    await psql("-c", ledgerTable);
    const { goesOn, end } = await load(8);
    const before = (await world.leader()).id;
    await ok("postgres", "failover", "-a", "pg");
    await goesOn();
    await killHard([await known((await world.status()).daemon.pid)]);
    await goesOn();
    await ok("up");
    await goesOn();
    const told = await end();
    expect(told.filter(([, , , what]) => what !== "ok")).toEqual([]);
    expect((await world.leader()).id).not.toBe(before);
    expect(await rows()).toBe(told.length);
  });

  it("is started again at once when it is killed", async () => {
    await killHard(await poolers());
    const { ms } = await eventually(
      "queries go through again",
      async () => (await world.perch(["run", "-a", "web", "--", "psql", "-c", "SELECT 1"])).code === 0,
    );
    process.stderr.write(`pooler again: ${Math.round(ms)} ms\n`);
    expect((await whole()).answer).toBe(true);
  });

  it("lets its clients go on when perchd was killed while it kept them waiting", async () => {
    await killHard([await known((await world.status()).daemon.pid)]);
    const leading = (await poolers()).find(({ command }) => command.includes("leader"));
    process.kill(leading?.pid ?? 0, "SIGUSR1"); // PgBouncer's PAUSE
    await ok("up");
    await whole();
    expect(await psql("-c", "SELECT 1")).toBe("1\n");
  });

  it("changes its size in place and its mode with new processes, goes down and comes up with the network", async () => {
    const pids = async () => (await poolers()).map(({ pid }) => String(pid)).toSorted();
    const before = await pids();
    expect(await world.json("postgres", "pool", "on", "-a", "pg", "--size", "4")).toMatchObject({
      mode: "transaction",
      size: 4,
    });
    expect(await pids()).toEqual(before);
    expect(await world.json("postgres", "pool", "on", "-a", "pg", "--mode", "session", "--size", "3")).toMatchObject({
      mode: "session",
      size: 3,
      preparedStatements: true,
    });
    expect((await pids()).filter((pid) => before.includes(pid))).toEqual([]);
    await ok("down");
    expect(await poolers()).toEqual([]);
    await ok("up");
    await whole();
    expect(await psql("-c", "SELECT 1")).toBe("1\n");
  });

  it("ends each session once at a planned switchover in session mode, as on 5432, and has new ones wait for the next leader", async () => {
    const before = { id: (await world.leader()).id, rows: await rows() };
    const { goesOn, end } = await load(3);
    await ok("postgres", "failover", "-a", "pg");
    await goesOn();
    const told = await end();
    const failed = told.filter(([, , , what]) => what !== "ok").map(([, client, , what]) => `${client} ${what}`);
    expect(failed.toSorted()).toEqual(["0 query", "1 query", "2 query"]);
    expect((await world.leader()).id).not.toBe(before.id);
    expect(await rows()).toBeGreaterThanOrEqual((before.rows ?? 0) + told.length - failed.length);
  });

  it("follows the members: a new one has one, and one that goes takes its own along", async () => {
    const made = await world.json<{ id: string }>("machine", "clone", (await world.leader()).id);
    await eventually("four run", async () => (await poolers()).length === 4);
    await ok("machine", "destroy", made.id, "--yes");
    const { answer } = await eventually("three run", async () => (await poolers()).length === 3);
    expect(answer).toBe(true);
  });

  it("keeps its port when a password is rotated, and goes when nobody is attached through it", async () => {
    await ok("postgres", "users", "rotate", "web", "-a", "pg");
    expect(await world.url()).toContain(":6432/");
    expect(await psql("-c", "SELECT 1")).toBe("1\n");
    expect(await error("postgres", "pool", "off", "-a", "pg")).toMatchObject({ code: "app_in_use" });
    await ok("postgres", "detach", "pg", "--app", "web");
    await ok("postgres", "pool", "off", "-a", "pg");
    expect(await poolers()).toEqual([]);
    expect(await world.sql((await world.leader()).id, "SELECT FROM pg_roles WHERE rolname = 'perch_pooler'")).toEqual(
      [],
    );
    expect(await pool()).toMatchObject({ on: false });
  });
});
