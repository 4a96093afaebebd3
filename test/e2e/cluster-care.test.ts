import { chmodSync, copyFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../src/base/deadline.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { lastLogLines } from "../../src/postgres/instance/logs.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

interface Setting {
  name: string;
  value: string;
  source: string;
  pending: boolean;
}

/** What an operator does to a cluster that serves an app: settings, databases, users, restarts, logs and events. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("a cluster in use", () => {
  const world = worldIn();
  const { ok } = world;
  const app = (sql: string) => ok("run", "-a", "web", "--", "sh", "-c", `psql "$DATABASE_URL" -XAtc "${sql}"`);
  const update = (...args: string[]) =>
    world.json<{ changed: string[]; restartNeeded: string[] }>("postgres", "config", "update", "-a", "pg", ...args);
  const refused = (...args: string[]) => world.error("postgres", "config", "update", "-a", "pg", ...args);
  const show = async (name: string) => (await world.json<Setting[]>("postgres", "config", "show", name, "-a", "pg"))[0];
  const onEvery = async (setting: string) => {
    const { members } = await world.cluster();
    return Promise.all(
      members.map(async ({ id }) => (await world.sql<Record<string, string>>(id, `SHOW ${setting}`))[0]?.[setting]),
    );
  };

  beforeAll(async () => {
    await ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await ok("apps", "create", "web");
    await ok("postgres", "attach", "pg", "--app", "web");
  });

  afterAll(async () => {
    await ok("down");
  });

  it("config update changes every member at once where a reload does", async () => {
    expect(await update("work_mem=7MB")).toEqual({ changed: ["work_mem"], restartNeeded: [] });
    await eventually("both members have it", async () => (await onEvery("work_mem")).every((value) => value === "7MB"));
    expect(await show("work_mem")).toMatchObject({ source: "user", pending: false });
    expect(await update("--unset", "work_mem")).toMatchObject({ changed: ["work_mem"] });
    expect((await show("work_mem"))?.source).not.toBe("user");
  });

  it("config update says what waits for a restart, and --restart does it, on every member", async () => {
    const [before] = await onEvery("max_connections");
    expect(await update("max_connections=123")).toEqual({
      changed: ["max_connections"],
      restartNeeded: ["max_connections"],
    });
    expect(await onEvery("max_connections")).toEqual([before, before]);
    expect(await show("max_connections")).toMatchObject({ pending: true });
    await ok("postgres", "restart", "-a", "pg");
    expect(await onEvery("max_connections")).toEqual(["123", "123"]);
    expect(await update("max_connections=77", "--restart")).toEqual({
      changed: ["max_connections"],
      restartNeeded: [],
    });
    expect(await onEvery("max_connections")).toEqual(["77", "77"]);
    expect((await world.cluster()).members.map(({ role }) => role)).toEqual(["leader", "replica"]);
    expect(await app("SELECT 1")).toBe("1\n");
  });

  it("config update refuses what PostgreSQL does not know, does not take, or Perch keeps, and changes nothing", async () => {
    expect(await refused("no_such_setting=1")).toMatchObject({ code: "setting_unknown", exit: 2 });
    expect(await refused("work_mem=much", "log_statement=ddl")).toMatchObject({ code: "setting_invalid", exit: 2 });
    expect(await refused("port=1")).toMatchObject({ code: "setting_managed", exit: 2 });
    expect(await refused("work_mem")).toMatchObject({ code: "usage_invalid", exit: 2 });
    expect(await show("log_statement")).not.toMatchObject({ source: "user" });
  });

  it("db create, list and drop do what they say", async () => {
    const names = async () =>
      (await world.json<{ name: string; owner: string }[]>("postgres", "db", "list", "-a", "pg")).map(
        ({ name, owner }) => `${name} of ${owner}`,
      );
    expect(await ok("postgres", "db", "create", "reports", "-a", "pg", "--owner", "web")).toBe(
      "Created database reports, owned by web\n",
    );
    expect(await names()).toEqual(expect.arrayContaining(["web of web", "reports of web"]));
    expect(await world.error("postgres", "db", "create", "reports", "-a", "pg")).toMatchObject({
      code: "database_exists",
    });
    await ok("postgres", "db", "drop", "reports", "-a", "pg", "--yes");
    expect(await names()).not.toContain("reports of web");
    expect(await world.error("postgres", "db", "create", "x", "-a", "pg", "--owner", "nobody")).toMatchObject({
      code: "user_not_found",
    });
  });

  it("an extension that the app may not create is created for it by the one command that docs/extensions.md gives", async () => {
    const create = (more: string) => ["CREATE EXTENSION dblink", more].join("");
    const asked = await world.perch(["run", "-a", "web", "--", "sh", "-c", `psql "$DATABASE_URL" -Xc "${create("")}"`]);
    expect(asked.stderr).toContain("permission denied to create extension");
    const connect = (sql: string) => world.perch(["postgres", "connect", "-a", "pg", "-d", "web", "--command", sql]);
    expect((await connect(create(""))).stderr).toContain('permission denied to create "pg_catalog.');
    expect((await connect(create(" SCHEMA public"))).stdout).toContain("CREATE EXTENSION");
    expect(await app("SELECT count(*) FROM dblink_get_connections()")).toBe("1\n");
    expect((await connect("DROP EXTENSION dblink")).stdout).toContain("DROP EXTENSION");
  });

  it("users create, list and drop do what they say, and a user can log in with the password shown", async () => {
    const { password } = await world.json<{ password: string }>("postgres", "users", "create", "reader", "-a", "pg");
    const login = () =>
      world.perch([
        "run",
        "--env",
        `PGPASSWORD=${password}`,
        "--",
        "psql",
        "-h",
        "pg.internal",
        "-U",
        "reader",
        "-d",
        "postgres",
        "-XAtc",
        "SELECT current_user",
      ]);
    expect(await login()).toMatchObject({ code: 0, stdout: "reader\n" });
    const users = async () =>
      (await world.json<{ name: string }[]>("postgres", "users", "list", "-a", "pg")).map(({ name }) => name);
    expect(await users()).toEqual(expect.arrayContaining(["postgres", "reader", "web"]));
    await ok("postgres", "users", "drop", "reader", "-a", "pg", "--yes");
    expect(await users()).not.toContain("reader");
    expect((await login()).code).toBe(2);
    expect(await world.perch(["postgres", "users", "drop", "web", "-a", "pg", "--yes"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("[user_in_use]") as string,
    });
  });

  it("users rotate gives the app the new URL, and with --overlap 0 the old password is worth nothing", async () => {
    const old = await world.url();
    const rotated = await world.json<{ password: string; apps: string[] }>(
      "postgres",
      "users",
      "rotate",
      "web",
      "-a",
      "pg",
      "--overlap",
      "0",
    );
    expect(rotated.apps).toEqual(["web"]);
    expect(await app("SELECT current_user")).toBe("web\n");
    expect((await world.url()).includes(rotated.password)).toBe(true);
    const late = await world.perch(["run", "--env", `OLD=${old}`, "--", "sh", "-c", 'psql "$OLD" -XAtc "SELECT 1"']);
    expect(late).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("password authentication failed") as string,
    });
  });

  it("logs show what PostgreSQL said, with region and machine, and events what Perch did; no password is in either", async () => {
    await app("DO \\$\\$ BEGIN RAISE LOG 'a line to be found'; END \\$\\$");
    const { id } = await world.leader();
    const logs = await ok("logs", "-a", "pg", "-n", "1000");
    expect(logs).toMatch(new RegExp(`ams ${id} LOG: a line to be found`));
    // What an app writes there is not what a terminal obeys.
    await app("DO \\$\\$ BEGIN RAISE LOG 'title %', chr(27) || ']0;owned' || chr(7); END \\$\\$");
    const escaped = await ok("logs", "-a", "pg", "-n", "20");
    expect(escaped).toContain("title \\u{1b}]0;owned\\u{7}");
    expect(escaped.includes("\u001b") || escaped.includes("\u0007")).toBe(false);
    const events = await ok("events", "-n", "1000");
    expect(events).toMatch(/cluster pg was created with 2 members, the leader in ams/);
    expect(events).toMatch(/web is attached to pg: database web, user web, secret DATABASE_URL/);
    expect(events).toMatch(/settings of pg were changed: max_connections/);
    const password = decodeURIComponent(
      new URL((await ok("run", "-a", "web", "--", "printenv", "DATABASE_URL")).trim()).password,
    );
    expect([logs, events].filter((text) => text.includes(password))).toEqual([]);
  });

  it("logs -f and events -f go on with what comes, until Ctrl-C", async () => {
    const feeds = await Promise.all([
      world.begin(["logs", "-a", "pg", "-f", "-n", "1"]),
      world.begin(["events", "-f", "-n", "1"]),
    ]);
    await eventually("both show the last of the past", () => feeds.every((feed) => feed.stdout() !== ""));
    await app("DO \\$\\$ BEGIN RAISE LOG 'a line that comes later'; END \\$\\$");
    await ok("apps", "create", "later");
    await eventually(
      "both show what came",
      () => feeds[0].stdout().includes("a line that comes later") && feeds[1].stdout().includes("app later"),
    );
    for (const feed of feeds) feed.kill("SIGINT");
    expect((await Promise.all(feeds.map((feed) => feed.ended))).map(({ code }) => code)).toEqual([130, 130]);
  });

  describe("a setting with which PostgreSQL does not start", () => {
    it("is taken back by the restart that it needs, which says why in PostgreSQL's words", async () => {
      await update("wal_level=logical", "--restart");
      const { id } = await world.leader();
      await world.sql(id, "SELECT pg_create_logical_replication_slot('kept', 'pgoutput')");
      const back = await refused("wal_level=replica", "--restart");
      expect(back).toMatchObject({
        code: "settings_taken_back",
        exit: 1,
        message: expect.stringMatching(/wal_level in pg .*slot/) as string,
      });
      expect(await show("wal_level")).toMatchObject({ value: "logical", source: "user", pending: false });
      expect(await app("SELECT 1")).toBe("1\n");
      await world.sql(id, "SELECT pg_drop_replication_slot('kept')");
    });

    it("is taken back by the next perchd where the one that met it is killed before it could say so", async () => {
      const [leader, replica] = [await world.leader(), await world.replica()];
      await world.sql(leader.id, "SELECT pg_create_logical_replication_slot('stays', 'pgoutput')");
      const perchd = await known((await world.status()).daemon.pid);
      const words = async () =>
        (await lastLogLines(layout(world.home, leader.id).log, 20)).map(({ message }) => message);
      const restart = await world.begin(["postgres", "config", "update", "wal_level=replica", "-a", "pg", "--restart"]);
      const met = async () => ((await words()).some((text) => text.includes('slot "stays" exists')) ? true : undefined);
      expect(await ask(met, { everyMs: 2, withinMs: 60_000 })).toBe(true);
      await killHard([perchd]);
      expect((await restart.ended).code).toBe(1);
      expect(restart.stderr()).not.toContain("was taken back");
      await ok("up");
      const events = () => ok("events", "-n", "1000");
      await eventually(
        "the restart is through",
        async () =>
          /that an ended perchd had begun goes on[^]*did not come to its end: the change of/.test(await events()),
        60_000,
      );
      await eventually("both run with it", async () =>
        (await onEvery("wal_level")).every((value) => value === "logical"),
      );
      expect(await show("wal_level")).toMatchObject({ value: "logical", source: "user", pending: false });
      expect(await app("SELECT 1")).toBe("1\n");
      expect(
        (await events()).match(
          /the change of wal_level in pg was taken back, because PostgreSQL of machine \S+ said: .*"stays"/g,
        ),
      ).toHaveLength(1);
      expect([(await world.leader()).id, (await world.replica()).id]).toEqual([leader.id, replica.id]);
      await world.sql(leader.id, "SELECT pg_drop_replication_slot('stays')");
    });

    it("for what is in its data, is taken back with what else was changed since the last start", async () => {
      await update("max_prepared_transactions=5", "--restart");
      await world.sql((await world.leader()).id, "BEGIN; CREATE TABLE public.half (a int); PREPARE TRANSACTION 'half'");
      await update("max_prepared_transactions=0");
      const back = await refused("work_mem=9MB", "max_locks_per_transaction=70", "--restart");
      expect(back.message).toMatch(
        /max_locks_per_transaction, max_prepared_transactions, work_mem in pg was taken back.*prepared transactions/,
      );
      expect((await onEvery("max_prepared_transactions")).concat(await onEvery("max_locks_per_transaction"))).toEqual([
        "5",
        "5",
        "64",
        "64",
      ]);
      expect(await ok("events", "-n", "50")).toMatch(
        /in pg was taken back, because PostgreSQL of machine \S+ said: .*prepared transactions/,
      );
      await world.sql((await world.leader()).id, "ROLLBACK PREPARED 'half'");
    });

    it("for want of a library that is gone, is changed without a leader, which then starts", async () => {
      const [leader, replica] = [await world.leader(), await world.replica()];
      const [row] = await world.sql<{ at: string }>(
        leader.id,
        "SELECT setting AS at FROM pg_config() WHERE name = 'PKGLIBDIR'",
      );
      const library = join(temporaryDirectory(), "own.so");
      chmodSync(dirname(library), 0o755);
      copyFileSync(join(row?.at ?? "", "auto_explain.so"), library);
      await update(`shared_preload_libraries=${library}`, "--restart");
      const leads = await world.leader();
      await ok("machine", "stop", leads.id === leader.id ? replica.id : leader.id);
      rmSync(library);
      await ok("machine", "stop", leads.id);
      expect(await world.error("machine", "start", leads.id)).toMatchObject({ code: "postgres_start_failed" });
      expect(await world.json<Setting[]>("postgres", "config", "show", "-a", "pg")).toMatchObject(
        expect.arrayContaining([
          expect.objectContaining({ name: "shared_preload_libraries", value: library, source: "user" }),
        ]) as Setting[],
      );
      expect(await ok("logs", "-a", "pg", "-n", "1000")).toMatch(/FATAL: could not access file .*own\.so/);
      expect(await update("--unset", "shared_preload_libraries")).toEqual({
        changed: ["shared_preload_libraries"],
        restartNeeded: [],
      });
      expect(await app("SELECT 1")).toBe("1\n");
      await ok("machine", "start", leads.id === leader.id ? replica.id : leader.id);
    });
  });
});
