import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

/** What an app's role may not, tried as the app: with its own URL, from inside, on every port. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))("the role of an app", () => {
  const world = worldIn();
  const { ok } = world;
  /** The SQLSTATE with which a statement fails, or what it answers. */
  const attempt = async (sql: string, url = "$DATABASE_URL", app = "web"): Promise<string> => {
    const command = `exec psql "${url}" -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate -c "$1"`;
    const { stdout, stderr } = await world.perch(["run", "-a", app, "--", "sh", "-c", command, "sh", sql]);
    return /(?:ERROR|FATAL): {2}(\w{5})$/m.exec(stderr)?.[1] ?? (stderr === "" ? stdout.trim() : stderr.trim());
  };

  beforeAll(async () => {
    await ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
    await ok("postgres", "pool", "on", "-a", "pg");
    for (const app of ["web", "other"]) {
      await ok("apps", "create", app);
      await ok("postgres", "attach", "pg", "--app", app);
    }
    await attempt("CREATE TABLE secrets_of_mine (line text)");
    await attempt(
      "CREATE TABLE secrets (word text); INSERT INTO secrets VALUES ('other says')",
      "$DATABASE_URL",
      "other",
    );
  });

  afterAll(async () => {
    await ok("down");
  });

  it("comes into no database of another app, on no port of any member", async () => {
    const own = await world.url("web");
    const { members } = await world.cluster();
    const ways = [
      "pg.internal:5432",
      "pg.internal:6432",
      ...members.flatMap(({ address }) => [5432, 5433, 6432, 6433].map((port) => `[${address}]:${port}`)),
    ];
    for (const way of ways) {
      const at = own.replace("pg.internal:5432", way);
      expect(await attempt("SELECT 1", at), way).toBe("1");
      const refused = await attempt("SELECT word FROM secrets", at.replace(/\/web$/, "/other"));
      expect(refused, way).toContain('permission denied for database "other"');
    }
  });

  it.each([
    ["read the verifiers of passwords", "SELECT rolpassword FROM pg_authid"],
    ["read them by another name", "SELECT passwd FROM pg_shadow"],
    [
      "change what the pooler asks",
      "CREATE OR REPLACE FUNCTION pg_catalog.perch_pool_lookup(wanted text) RETURNS TABLE (name text, verifier text) LANGUAGE sql AS 'SELECT 1, 2'",
    ],
    ["become the operator", "SET ROLE postgres"],
    ["become Perch's superuser", "SET ROLE perch"],
    ["become the replication user", "SET ROLE replicator"],
    ["become the pooler", "SET ROLE perch_pooler"],
    ["become another app", "SET ROLE other"],
    ["log in as the operator afterwards", "SET SESSION AUTHORIZATION postgres"],
    ["make itself a superuser", "ALTER ROLE web SUPERUSER"],
    ["make itself a member of the operator", "GRANT postgres TO web"],
    ["change the operator's password", "ALTER ROLE postgres PASSWORD 'mine'"],
    ["make a role", "CREATE ROLE evil"],
    ["make a database", "CREATE DATABASE evil"],
    ["drop another's database", "DROP DATABASE other"],
    ["read a file of the server", "SELECT pg_read_file('/etc/passwd')"],
    ["read one by COPY", "COPY secrets_of_mine FROM '/etc/passwd'"],
    ["read one as a large object", "SELECT lo_import('/etc/passwd')"],
    ["list a directory", "SELECT pg_ls_dir('/')"],
    ["write a file", "COPY (SELECT 1) TO '/tmp/evil'"],
    ["run a program", "COPY (SELECT 1) TO PROGRAM 'id'"],
    ["read what a program says", "COPY secrets_of_mine FROM PROGRAM 'id'"],
    ["load a library", "LOAD '/tmp/evil.so'"],
    ["write a function in C", "CREATE FUNCTION evil() RETURNS int LANGUAGE c AS '/tmp/evil', 'evil'"],
    ["set the server up anew", "ALTER SYSTEM SET ssl = off"],
    ["read who may connect", "SELECT * FROM pg_hba_file_rules"],
    ["end the sessions of others", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'perch'"],
  ])("cannot %s", async (_what, sql) => {
    expect(await attempt(sql)).toBe("42501");
  });

  it("cannot do it as its second login either, not even after SET ROLE NONE", async () => {
    await ok("postgres", "users", "rotate", "web", "-a", "pg");
    expect(await attempt("SELECT session_user, current_user")).toBe("web.2|web");
    for (const sql of [
      "SELECT rolpassword FROM pg_authid",
      "COPY (SELECT 1) TO PROGRAM 'id'",
      "CREATE ROLE evil",
      "SET ROLE postgres",
    ]) {
      expect(await attempt(sql), sql).toBe("42501");
      expect(await attempt(`SET ROLE NONE; ${sql}`), sql).toBe("42501");
    }
    expect(
      await attempt(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = 'web.2'",
      ),
    ).toBe("f");
    expect(await attempt("SELECT word FROM secrets", (await world.url("web")).replace(/\/web$/, "/other"))).toContain(
      "permission denied for database",
    );
  });

  it("has nothing obeyed, told or waited for that it writes into the log: controls, passwords in any spelling, comments without end", async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    const file = join(directory, "statement.sql");
    const fails = async (sql: string) => {
      writeFileSync(file, sql, { mode: 0o644 });
      expect((await world.perch(["run", "-a", "web", "--", "psql", "-Xq", "-f", file])).stderr).toContain("ERROR");
    };
    await fails(
      "DO $x$ BEGIN RAISE EXCEPTION E'marked \\u001b]0;owned\\u0007\\u009b2J\\u202e\\nERROR: another line'; END $x$",
    );
    for (const literal of [
      "$$hunter2$$",
      "$q$hunter2$q$",
      "U&'hunter2'",
      "E'hunter2'",
      "/* PASSWORD /* */ */ 'hunter2'",
    ])
      await fails(`ALTER ROLE nobody PASSWORD ${literal};`);
    await fails(`ALTER ROLE nobody ${"PASSWORD /*".repeat(20_000)}${"*/".repeat(20_000)} 'hunter2';`);
    const began = performance.now();
    const [text, json] = await Promise.all([
      ok("logs", "-a", "pg", "-n", "200"),
      ok("logs", "-a", "pg", "-n", "200", "--json"),
      ok("status"),
    ]);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(text).toContain("marked \\u{1b}]0;owned\\u{7}");
    for (const said of [text, json]) {
      expect(said).toContain("ALTER ROLE nobody PASSWORD '***'");
      expect(said).not.toContain("hunter2");
      expect(said).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    }
    expect(text).not.toMatch(/^ERROR: another line/m);
  });

  it("sees the queries of nobody else", async () => {
    const others = "FROM pg_stat_activity WHERE usename IN ('perch', 'postgres', 'replicator')";
    expect(await attempt(`SELECT count(*) > 0 ${others}`)).toBe("t");
    expect(await attempt(`SELECT count(*) ${others} AND query <> '<insufficient privilege>'`)).toBe("0");
  });
});
