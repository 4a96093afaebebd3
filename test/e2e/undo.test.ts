import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * All or nothing: whatever interrupts a create, a clone or an attach, what it made is taken away again, and the same
 * command works afterwards.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("what is interrupted half-way", () => {
  const world = worldIn();
  const { ok, begin } = world;
  let leader = "";
  let before: unknown;

  /** Everything that a half-made thing could leave behind. */
  const inventory = async () => {
    const { members, attachments } = await world.cluster();
    return {
      apps: (await world.client.call("listApps", {})).map(({ name }) => name),
      machines: (await world.client.call("listMachines", { query: {} })).map(({ id }) => id),
      secrets: await world.client.call("listSecrets", { params: { app: "web" } }),
      directories: world.directories().toSorted((a, b) => a.localeCompare(b)),
      members: members.map(({ id, state }) => `${id} ${state}`),
      attachments,
      programs: (await processesOf(world.root)).filter(({ command }) => /initdb|pg_basebackup|--single/.test(command)),
      slots: await world.sql(leader, "SELECT slot_name FROM pg_replication_slots ORDER BY 1"),
      // perch_keeper is Perch's own, made once when the first role goes (docs/decisions/0033).
      roles: await world.sql(
        leader,
        "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'perch_keeper' ORDER BY 1",
      ),
      databases: await world.sql(leader, "SELECT datname FROM pg_database ORDER BY 1"),
    };
  };
  const asBefore = async () => {
    let now: unknown;
    await eventually("everything is as before", async () => {
      now = await inventory();
      return JSON.stringify(now) === JSON.stringify(before);
    }).catch(() => undefined);
    expect(now).toEqual(before);
  };
  /** Waits until a directory that was not there holds `file`, and gives the machine it belongs to. */
  const appears = async (file = "") => {
    const old = world.directories();
    const find = () =>
      world.directories().find((id) => !old.includes(id) && existsSync(join(world.home.postgres, id, file)));
    return (await eventually(`a new member with ${file}`, find)).answer;
  };
  const killPerchd = async () => killHard([await known((await world.status()).daemon.pid)]);
  /**
   * A lock in the leader under which CREATE DATABASE waits, so that attach stands half-way for as long as it is held.
   */
  const holdDatabases = async (): Promise<pg.Client> => {
    const session = await world.connect(leader);
    await session.query("BEGIN; LOCK TABLE pg_database IN SHARE MODE");
    return session;
  };
  const roleIsMade = () =>
    eventually(
      "the role is made",
      async () => (await world.sql(leader, "SELECT FROM pg_roles WHERE rolname = 'web'")).length === 1,
    );

  beforeAll(async () => {
    await ok("up");
    await world.create();
    await ok("apps", "create", "web");
    ({ id: leader } = await world.leader());
    before = await inventory();
  });

  afterAll(async () => {
    await ok("down");
  });

  beforeEach(async () => {
    await eventually("the leader leads", async () => (await world.leader()).state === "started");
  });

  it.each([
    [
      "postgres create, while the data directory is made",
      ["postgres", "create", "--name", "half", "--initial-cluster-size", "2"],
      "tls",
    ],
    ["postgres create, while the server starts", ["postgres", "create", "--name", "half"], "data/PG_VERSION"],
  ])("Ctrl-C during %s leaves nothing", async (_what, args, file) => {
    const [running] = await Promise.all([begin(args), appears(file === "tls" ? "" : file)]);
    running.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining("[cancelled]") as string });
    expect(await inventory()).toEqual(before);
  });

  it.each([
    ["before the copy", ""],
    ["when the copy is there", "data/PG_VERSION"],
  ])("Ctrl-C during machine clone, %s, leaves nothing", async (_when, file) => {
    const [running] = await Promise.all([begin(["machine", "clone", leader, "--region", "lhr"]), appears(file)]);
    running.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining("[cancelled]") as string });
    expect(await inventory()).toEqual(before);
  });

  it("Ctrl-C during quickstart takes away what was half made, and keeps what was whole", async () => {
    const [running] = await Promise.all([begin(["quickstart", "--no-install"]), appears("data/PG_VERSION")]);
    running.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.stringContaining("[cancelled]") as string });
    expect(await inventory()).toEqual(before);
  });

  it("Ctrl-C during attach leaves no role, database or secret", async () => {
    const lock = await holdDatabases();
    const running = await begin(["postgres", "attach", "pg", "--app", "web"]);
    await roleIsMade();
    running.kill("SIGINT");
    await lock.end();
    expect(await running.ended).toMatchObject({ code: 130 });
    await asBefore();
  });

  it.each([
    ["create, before initdb is done", ["postgres", "create", "--name", "half"], ""],
    ["create, when the data is there", ["postgres", "create", "--name", "half"], "data/PG_VERSION"],
    ["clone, before the copy", "clone", ""],
    ["clone, when the copy is there", "clone", "data/PG_VERSION"],
  ])("kill -9 of perchd in the middle of %s leaves nothing half-made after up", async (_what, args, file) => {
    const [running, machine] = await Promise.all([
      begin(typeof args === "string" ? ["machine", args, leader, "--region", "lhr"] : args),
      appears(file),
    ]);
    await killPerchd();
    expect(await running.ended).toMatchObject({ code: 1, stderr: expect.stringContaining("[daemon_lost]") as string });
    await ok("up");
    await asBefore();
    expect(await ok("events")).toMatch(
      new RegExp(`(${machine}|half) was half made when perchd ended; it is taken away`),
    );
  });

  it("kill -9 of perchd in the middle of attach leaves nothing half-made after up", async () => {
    const lock = await holdDatabases();
    const running = await begin(["postgres", "attach", "pg", "--app", "web"]);
    await roleIsMade();
    await killPerchd();
    await lock.end();
    expect(await running.ended).toMatchObject({ code: 1 });
    await ok("up");
    await asBefore();
  });

  it("kill -9 of the leader in the middle of attach fails it, and leaves nothing once the leader is back", async () => {
    const lock = await holdDatabases();
    const running = await begin(["postgres", "attach", "pg", "--app", "web"]);
    await roleIsMade();
    await killHard([await known((await world.leader()).pid)]);
    await lock.end().catch(() => undefined);
    expect(await running.ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Error: .*pg/m) as string });
    await eventually("the leader leads", async () => (await world.leader()).state === "started");
    await asBefore();
  });

  it("kill -9 of perchd while it removes or copies leaves directories, which the next one takes away", async () => {
    await killPerchd();
    const { postgres } = world.home;
    for (const path of ["0123456789abcd.gone-0123abcd/data", `${leader}/data.new-0123abcd/base`])
      mkdirSync(join(postgres, path), { recursive: true });
    await ok("up");
    const beside = () => readdirSync(join(postgres, leader)).filter((name) => name.includes(".new-"));
    await eventually("nothing is beside the data", () => beside().length === 0).catch(() => undefined);
    expect(beside()).toEqual([]);
    await asBefore();
  });

  it("each of them works afterwards, as if nothing had been", async () => {
    await ok("postgres", "create", "--name", "half");
    await ok("machine", "clone", leader, "--region", "lhr");
    await ok("postgres", "attach", "pg", "--app", "web");
    expect(await ok("run", "-a", "web", "--", "sh", "-c", 'psql "$DATABASE_URL" -XAtc "SELECT current_user"')).toBe(
      "web\n",
    );
  });

  it("Ctrl-C while quickstart runs its app is no failure of Perch, and quickstart goes on from there", async () => {
    const running = await begin(["quickstart", "--no-install"]);
    await eventually("the app runs", () => running.stdout().includes("The app, run in both regions"), 60_000);
    running.kill("SIGINT");
    const { code, stderr } = await running.ended;
    expect({ code, stderr }).toMatchObject({ code: 130, stderr: expect.not.stringMatching(/\[internal\]/) as string });
    expect(await ok("quickstart", "--no-install")).toMatch(
      /hello is attached to pg already[\s\S]*in lhr: .* a replica/,
    );
  });

  it("kill -9 of perchd in the middle of users rotate is gone on with by the next one: role and secret agree", async () => {
    const old = await world.url();
    const lock = await world.connect(leader);
    await lock.query("BEGIN; LOCK TABLE pg_authid IN SHARE MODE");
    const running = await begin(["postgres", "users", "rotate", "web", "-a", "pg"]);
    await eventually(
      "the rotation waits",
      async () => (await world.sql(leader, "SELECT FROM pg_locks WHERE NOT granted")).length > 0,
    );
    await killPerchd();
    await lock.end();
    expect(await running.ended).toMatchObject({ code: 1 });
    await ok("up");
    await eventually("the URL is the new one", async () => (await world.url()) !== old);
    expect(await ok("run", "-a", "web", "--", "sh", "-c", 'psql "$DATABASE_URL" -XAtc "SELECT current_user"')).toBe(
      "web\n",
    );
  });
});
