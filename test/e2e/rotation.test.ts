import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Rotated } from "../../src/api/schemas.ts";
import { ask } from "../../src/base/deadline.ts";
import { loginsOf } from "../../src/model/login.ts";
import { recordProcess } from "../support/processes.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

const newcomers = fileURLToPath(new URL("../support/newcomers.ts", import.meta.url));

interface User {
  name: string;
  worksAs: string | null;
  until: string | null;
}

interface Report {
  answered: number;
  users: string[];
  failures: { at: number; word: string }[];
}

/** A new password for an app that is in use. One story: each test goes on where the one before it ended. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))("a rotation", () => {
  const world = worldIn();
  const { ok } = world;
  const rotate = (user: string, ...more: string[]) =>
    world.json<Rotated>("postgres", "users", "rotate", user, "-a", "pg", ...more);
  const psql = (sql: string, variable = "DATABASE_URL") =>
    ok("run", "-a", "web", "--", "sh", "-c", `psql "$${variable}" -XqAtc "$1"`, "sh", sql);
  const logins = async (user: string) =>
    (await world.json<User[]>("postgres", "users", "list", "-a", "pg")).filter(
      (one) => (one.worksAs ?? one.name) === user,
    );
  const works = async (user: string) =>
    (await logins(user))
      .filter(({ until }) => until === null || Date.parse(until) > Date.now())
      .map(({ name }) => name);
  /** psql with a URL that somebody has copied. */
  const withCopy = (copy: string, sql = "SELECT 1") =>
    world.perch(["run", "--env", `COPY=${copy}`, "--", "sh", "-c", `psql "$COPY" -XqAtc "$1"`, "sh", sql]);

  /** An app that was started with the URL of now, and what it can say. */
  async function load(variable = "DATABASE_URL") {
    const running = await world.begin([
      "run",
      "-a",
      "web",
      "--",
      process.execPath,
      "--import",
      "tsx",
      newcomers,
      variable,
      "4",
    ]);
    await recordProcess(running.pid);
    const report = (): Report =>
      JSON.parse(running.stdout().trimEnd().split("\n").at(-1) || '{"answered":0,"users":[],"failures":[]}') as Report;
    const goesOn = async (queries = 200) => {
      const from = report().answered;
      await eventually("queries are answered", () => report().answered >= from + queries);
    };
    const stop = async () => {
      running.kill("SIGTERM");
      await running.ended;
      return report();
    };
    return { report, goesOn, stop };
  }
  type Load = Awaited<ReturnType<typeof load>>;
  let loads: { direct: Load; pooled: Load };

  beforeAll(async () => {
    await ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await ok("postgres", "pool", "on", "-a", "pg");
    await ok("apps", "create", "web");
    await ok("postgres", "attach", "pg", "--app", "web");
    const pooled = ["--variable-name", "POOLED_URL", "--database-user", "web_pooled", "--pooled"];
    await ok("postgres", "attach", "pg", "--app", "web", ...pooled, "--database-name", "web", "--yes");
    await psql("CREATE TABLE before (n int)");
    loads = { direct: await load(), pooled: await load("POOLED_URL") };
  });

  afterAll(async () => {
    await ok("down");
  });

  it("fails no query of what runs, on 5432 and on 6432, and what starts after it has the new password", async () => {
    await Promise.all([loads.direct.goesOn(), loads.pooled.goesOn()]);
    const answered = () => loads.direct.report().answered + loads.pooled.report().answered;
    const before = answered();
    const { value: direct } = await timed("users rotate under load", rotate("web"));
    const { value: pooled } = await timed(
      "attach --rotate --pooled under load",
      world.json<Rotated>("postgres", "attach", "pg", "-a", "web", "--rotate", "--variable-name", "POOLED_URL"),
    );
    await Promise.all([loads.direct.goesOn(), loads.pooled.goesOn()]);
    expect(direct).toMatchObject({
      user: "web",
      login: "web.2",
      apps: ["web"],
      former: { login: "web", sooner: true },
    });
    expect(pooled).toMatchObject({ user: "web_pooled", login: "web_pooled.2", former: { login: "web_pooled" } });
    expect("password" in pooled, "attach shows no password").toBe(false);
    const failed = [...loads.direct.report().failures, ...loads.pooled.report().failures];
    process.stderr.write(
      `queries on new connections around two rotations: ${answered() - before}, failed: ${failed.length}\n`,
    );
    expect(failed).toEqual([]);
    expect(loads.direct.report().users).toEqual(["web as web"]);
    expect(loads.pooled.report().users).toEqual(["web_pooled as web"]);
    expect(await world.url()).toMatch(/^postgres:\/\/web\.2:[^@]+@pg\.internal:5432\/web$/);
    expect(await psql("SELECT session_user, current_user")).toBe("web.2|web\n");
    expect(await psql("SELECT session_user, current_user, inet_server_port()", "POOLED_URL")).toBe(
      "web_pooled.2|web|5433\n",
    );
  });

  it("leaves what was made before and after it with one owner, in a dump, too", async () => {
    await psql(
      "CREATE TABLE after (n int); INSERT INTO after VALUES (1); ALTER TABLE before ADD COLUMN m int; CREATE SCHEMA after",
    );
    await psql("CREATE TABLE after_pooled (n int)", "POOLED_URL");
    const owners =
      "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class WHERE relname ~ '^(before|after)'";
    expect(await psql(owners)).toBe("web\n");
    expect(await psql("SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'after'")).toBe("web\n");
    await ok("postgres", "db", "create", "copy", "-a", "pg", "--owner", "web");
    await ok(
      "run",
      "-a",
      "web",
      "--",
      "sh",
      "-c",
      'pg_dump "$DATABASE_URL" | psql -q -v ON_ERROR_STOP=1 "${DATABASE_URL%/web}/copy"',
    );
    const [row] = await world.sql((await world.leader()).id, owners, "copy");
    expect(row).toEqual({ string_agg: "web" });
  });

  it("is on every member: the new password works on a replica, and perch postgres connect knows it", async () => {
    const { address } = await world.replica();
    const there = (await world.url()).replace("pg.internal:5432", `[${address}]:5433`);
    await eventually(
      "the replica has it",
      async () => (await withCopy(there, "SELECT pg_is_in_recovery()")).stdout === "t\n",
    );
    expect(
      await ok("postgres", "connect", "-a", "pg", "-u", "web", "--command", "SELECT session_user = 'web.2' AS known"),
    ).toMatch(/\bt\b/);
    expect((await world.perch(["doctor", "-a", "web"])).stdout).toContain("as the attachment to pg has it");
  });

  it("works five times in a row while the passwords before it still do, and no query fails", async () => {
    const copies = [await world.url()];
    for (let round = 0; round < 5; round++) {
      await rotate("web");
      expect(await psql("SELECT current_user")).toBe("web\n");
      copies.push(await world.url());
    }
    expect(new Set(copies).size).toBe(6);
    for (const copy of copies) expect((await withCopy(copy, "SELECT current_user")).stdout).toBe("web\n");
    expect([...loads.direct.report().failures, ...loads.pooled.report().failures]).toEqual([]);
    expect(await works("web")).toHaveLength(7);
  });

  it("is refused where too many passwords work, and --overlap 0 ends all of them but the new one", async () => {
    await rotate("web");
    await rotate("web");
    expect(await world.error("postgres", "users", "rotate", "web", "-a", "pg")).toMatchObject({
      code: "rotation_overlaps",
      exit: 1,
    });
    const copy = await world.url();
    await loads.direct.stop();
    expect(await rotate("web", "--overlap", "0")).toMatchObject({ former: null });
    const late = await withCopy(copy);
    expect(late).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("password authentication failed") as string,
    });
    expect(await works("web")).toHaveLength(1);
    expect(await psql("SELECT current_user")).toBe("web\n");
    await eventually("the logins that nobody has are gone", async () => (await logins("web")).length <= 2);
  });

  it("with --overlap keeps the old password for that time, whatever ends, and refuses it after that with SQLSTATE 28P01", async () => {
    const running = await load();
    await running.goesOn();
    const { former } = await world.client.call("rotateUser", {
      params: { cluster: "pg", user: "web" },
      body: { overlap: 3 },
    });
    const until = Date.parse(former?.until ?? "");
    await eventually("it is refused", () => running.report().failures.length > 20);
    const { failures, answered } = await running.stop();
    expect(failures.filter(({ at }) => at < until)).toEqual([]);
    expect(new Set(failures.map(({ word }) => word))).toEqual(new Set(["28P01"]));
    expect(answered).toBeGreaterThan(200);
    expect(
      (await ok("events", "-n", "20")).match(/the former password of user web of pg, that of \S+, has ended/),
    ).not.toBeNull();
  });

  it("through the pooler ends with --overlap 0 for whoever comes after it", async () => {
    const copy = await world.url("web", "POOLED_URL");
    await rotate("web_pooled", "--overlap", "0");
    const late = await withCopy(copy);
    expect(late.code).toBe(2);
    expect(late.stderr).toMatch(/password authentication failed|SASL authentication failed|no such user/);
    expect(await psql("SELECT current_user", "POOLED_URL")).toBe("web\n");
    const { failures } = await loads.pooled.stop();
    process.stderr.write(
      `the pooler's words for a password that has ended: ${[...new Set(failures.map(({ word }) => word))].join(", ")}\n`,
    );
  });

  it("ends the old password when the app has restarted, but not while somebody else has a session with it", async () => {
    const running = await load();
    await running.goesOn();
    const copy = await world.url();
    const before = new URL(copy).username;
    const other = await world.begin([
      "run",
      "--env",
      `COPY=${copy}`,
      "--",
      "sh",
      "-c",
      'exec psql "$COPY" -XqAtc "SELECT 7" -c "SELECT pg_sleep(600)"',
    ]);
    await recordProcess(other.pid);
    await eventually("somebody else has a session", async () => other.stdout().startsWith("7"));
    expect(await rotate("web")).toMatchObject({ former: { login: before, sooner: true } });
    const { failures } = await running.stop();
    expect(failures).toEqual([]);
    const again = await load();
    await again.goesOn();
    // Longer than perchd takes to look.
    const ended = await ask(async () => ((await works("web")).includes(before) ? undefined : true), {
      everyMs: 200,
      withinMs: 7_000,
    });
    expect(ended, "it works while the session is open").toBeUndefined();
    const { id } = await world.leader();
    await world.sql(id, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${before}'`);
    await other.ended;
    await eventually("it has ended", async () => !(await works("web")).includes(before));
    expect((await withCopy(copy)).stderr).toContain("password authentication failed");
    await again.goesOn();
    expect((await again.stop()).failures).toEqual([]);
  });

  it("that a killed perchd had begun is gone on with by the next one, under load and without a failed query", async () => {
    const running = await load();
    await running.goesOn();
    const old = await world.url();
    // What perchd takes away of earlier ones has its turn before the rotation, and would wait for the lock in its
    // place.
    await eventually("what has ended is gone", async () => {
      const there = (await logins("web")).map(({ name }) => name).filter((name) => name !== "web");
      const able = await works("web");
      return there.every((name) => able.includes(name));
    });
    const { id } = await world.leader();
    const lock = await world.connect(id);
    await lock.query("BEGIN; LOCK TABLE pg_authid IN SHARE MODE");
    const rotation = await world.begin(["postgres", "users", "rotate", "web", "-a", "pg"]);
    const waiting =
      "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'CREATE ROLE|^GRANT|CONNECTION LIMIT|SCRAM'";
    await eventually("the rotation waits", async () => (await world.sql(id, waiting)).length > 0);
    const detaching = ["postgres", "detach", "pg", "-a", "web", "--variable-name", "DATABASE_URL"];
    expect(await world.error(...detaching), "nobody is detached in the middle of it").toMatchObject({ code: "busy" });
    await killHard([await known((await world.status()).daemon.pid)]);
    await lock.end();
    expect(await rotation.ended).toMatchObject({ code: 1 });
    await ok("up");
    await eventually("the URL is the new one", async () => (await world.url()) !== old);
    await running.goesOn();
    expect(await psql("SELECT current_user")).toBe("web\n");
    expect((await running.stop()).failures).toEqual([]);
  });

  it("that a killed perchd had not come to the end of has one all the same: the next one tells PostgreSQL until when the old password works", async () => {
    const old = new URL(await world.url()).username;
    const { id } = await world.leader();
    const lock = await world.connect(id);
    await lock.query("BEGIN");
    await lock.query("SELECT FROM pg_authid WHERE rolname = $1 FOR UPDATE", [old]);
    const rotation = await world.begin(["postgres", "users", "rotate", "web", "-a", "pg", "--overlap", "1h"]);
    await eventually("the app has the new URL", async () => new URL(await world.url()).username !== old);
    await killHard([await known((await world.status()).daemon.pid)]);
    await lock.end();
    expect(await rotation.ended).toMatchObject({ code: 1 });
    const ends = async () => (await logins("web")).find(({ name }) => name === old)?.until ?? null;
    await ok("up");
    const { answer } = await eventually("it has an end", async () => (await ends()) ?? undefined);
    expect(Date.parse(answer) - Date.now()).toBeLessThan(3_600_000);
  });

  it("never takes a role that somebody else has made, and follows what is changed on the role", async () => {
    const there = (await logins("web")).map(({ name }) => name);
    const taken = loginsOf("web").find((name) => !there.includes(name)) ?? "";
    expect(await world.error("postgres", "users", "create", taken, "-a", "pg")).toMatchObject({
      code: "identifier_invalid",
    });
    const leader = (await world.leader()).id;
    await world.sql(leader, `CREATE ROLE "${taken}" LOGIN`);
    await ok("postgres", "users", "rotate", "web", "-a", "pg");
    await world.sql(leader, "ALTER ROLE web SET work_mem = '11MB'");
    await eventually("the app's login has it", async () => (await psql("SHOW work_mem")) === "11MB\n");
    expect((await logins("web")).map(({ name }) => name)).not.toContain(taken);
    await world.sql(leader, `DROP ROLE "${taken}"`);
  });

  it("of a user without an attachment is at once: new connections want the new password, and open sessions go on", async () => {
    const { password } = await world.json<{ password: string }>("postgres", "users", "create", "reader", "-a", "pg");
    const copy = `postgres://reader:${password}@pg.internal/postgres`;
    expect(await world.error("postgres", "users", "rotate", "reader", "-a", "pg", "--overlap", "1h")).toMatchObject({
      code: "rotation_at_once",
    });
    expect((await withCopy(copy)).stdout).toBe("1\n");
    const said = await ok("postgres", "users", "rotate", "reader", "-a", "pg");
    expect(said).toContain("The old password is worth nothing from now on; sessions that are open go on");
    expect((await withCopy(copy)).stderr).toContain("password authentication failed");
    expect((await logins("reader")).map(({ name }) => name)).toEqual(["reader"]);
  });

  it("by attach --rotate wants an app that is attached, and nothing else to be changed", async () => {
    await ok("apps", "create", "lonely");
    const rotating = ["postgres", "attach", "pg", "--rotate", "-a"];
    expect(await world.error(...rotating, "lonely")).toMatchObject({ code: "no_attachments", exit: 1 });
    expect(await world.error(...rotating, "web")).toMatchObject({ code: "attachment_ambiguous", exit: 2 });
    expect(await world.error(...rotating, "web", "--superuser")).toMatchObject({ code: "usage_invalid", exit: 2 });
    expect(await world.error("postgres", "attach", "pg", "-a", "lonely", "--overlap", "1h")).toMatchObject({
      code: "usage_invalid",
      exit: 2,
    });
  });

  it("leaves nothing behind when the app is detached: every login of its role is gone", async () => {
    await rotate("web");
    await ok("postgres", "detach", "pg", "-a", "web", "--variable-name", "POOLED_URL");
    await ok("postgres", "detach", "pg", "-a", "web", "--variable-name", "DATABASE_URL");
    expect(await world.sql((await world.leader()).id, "SELECT rolname FROM pg_roles WHERE rolname ~ '^web'")).toEqual(
      [],
    );
    expect(await world.client.call("listSecrets", { params: { app: "web" } })).toEqual([]);
    await ok("postgres", "attach", "pg", "-a", "web", "--database-name", "web", "--yes");
    expect(await psql("SELECT session_user, count(*) FROM after")).toBe("web|1\n");
  });
});
