import type pg from "pg";
import { beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../src/base/deadline.ts";
import { perchIn, succeeded } from "../support/perch.ts";
import { queryAs } from "../support/query.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("postgres detach", () => {
  const root = tempHome();
  const perch = perchIn(root);
  const { query } = worldIn(root);
  const attach = (app: string, ...flags: string[]) => perch(["postgres", "attach", "pg", "--app", app, ...flags]);
  const detach = (app: string, ...flags: string[]) => perch(["postgres", "detach", "pg", "--app", app, ...flags]);
  const users = async () => succeeded(await perch(["postgres", "users", "list", "-a", "pg"]));
  const databases = async () => succeeded(await perch(["postgres", "db", "list", "-a", "pg"]));
  const secrets = async (app: string) => succeeded(await perch(["secrets", "list", "-a", app]));
  const newApp = async (app: string) => {
    succeeded(await perch(["apps", "create", app]));
    succeeded(await attach(app));
  };

  beforeAll(async () => {
    succeeded(await perch(["up"]));
    await worldIn(root).create();
    succeeded(
      await perch([
        "postgres",
        "config",
        "update",
        "-a",
        "pg",
        "wal_level=logical",
        "max_prepared_transactions=5",
        "--restart",
      ]),
    );
  });

  it("takes the role and the secret away, keeps the database, and the next attach owns its tables again", async () => {
    await newApp("web");
    await query(
      "web",
      "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42); CREATE SEQUENCE s; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    );
    expect(succeeded(await detach("web"))).toContain("user web and secret DATABASE_URL are gone, database web stays");
    expect(await users()).not.toMatch(/^web /m);
    expect(await databases()).toMatch(/^web /m);
    expect(await secrets("web")).toContain("has no secrets");
    succeeded(await attach("web", "--yes"));
    expect(await query("web", "SELECT n FROM kept")).toBe("42");
    await query(
      "web",
      "ALTER TABLE kept ADD COLUMN m int; DROP FUNCTION f(); DROP SEQUENCE s; ALTER TABLE kept RENAME TO still",
    );
    succeeded(await detach("web"));
  });

  it("leaves a shared database to the other apps, whichever goes first", async () => {
    await newApp("owner");
    await query("owner", "CREATE TABLE t (n int); INSERT INTO t VALUES (1)");
    for (const app of ["guest", "third"]) {
      succeeded(await perch(["apps", "create", app]));
      succeeded(await attach(app, "--database-name", "owner", "--yes"));
    }
    const drop = await detach("owner", "--drop-database", "--yes");
    expect(drop.code).toBe(1);
    expect(drop.stderr).toContain('database "owner" is in use: guest, third is attached to it [database_in_use]');
    succeeded(await detach("owner"));
    expect(
      await query(
        "guest",
        "ALTER TABLE t ADD COLUMN m int; INSERT INTO t VALUES (2); CREATE TABLE u (n int); SELECT count(*) FROM t",
      ),
    ).toBe("2");
    expect(await query("third", "INSERT INTO u VALUES (3); DROP TABLE t; SELECT n FROM u")).toBe("3");
    succeeded(await detach("third"));
    expect(await query("guest", "SELECT current_user, n FROM u")).toBe("guest|3");
    succeeded(await detach("guest", "--drop-database", "--yes"));
    expect(await databases()).not.toMatch(/^owner /m);
  });

  it("ends the sessions of the role it takes away", async () => {
    await newApp("busy");
    const session = queryAs(perch, "busy", "SELECT pg_sleep(60)");
    const asleep = async () =>
      (await query("busy", "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'")) === "1"
        ? true
        : undefined;
    expect(await ask(asleep, { everyMs: 100, withinMs: 10_000 })).toBe(true);
    succeeded(await detach("busy"));
    expect((await session).stderr).toContain("terminating connection");
    expect(await users()).not.toMatch(/^busy /m);
  });

  it("drops the database with --drop-database, after --yes only", async () => {
    await newApp("brief");
    const asked = await detach("brief", "--drop-database");
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain("[confirmation_needed]\nNext: Repeat the command with --yes.");
    expect(await databases()).toMatch(/^brief /m);
    expect(succeeded(await detach("brief", "--drop-database", "--yes"))).toContain("database brief is dropped");
    expect(await databases()).not.toMatch(/^brief /m);
  });

  it("leaves a secret alone that was set anew by hand", async () => {
    await newApp("byhand");
    succeeded(await perch(["secrets", "set", "-a", "byhand", "DATABASE_URL=elsewhere"]));
    succeeded(await detach("byhand"));
    expect(succeeded(await perch(["run", "-a", "byhand", "--", "sh", "-c", "echo $DATABASE_URL"]))).toBe("elsewhere\n");
  });

  it("works where the secret was unset by hand", async () => {
    await newApp("unset");
    succeeded(await perch(["secrets", "unset", "-a", "unset", "DATABASE_URL"]));
    succeeded(await detach("unset"));
    expect(await users()).not.toMatch(/^unset /m);
  });

  it("says so when there is none, and when there are several", async () => {
    succeeded(await perch(["apps", "create", "several"]));
    const none = await detach("several");
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("no attachments found: app several is not attached to pg [no_attachments]");
    succeeded(await attach("several"));
    succeeded(
      await attach("several", "--variable-name", "OTHER_URL", "--database-name", "other", "--database-user", "other"),
    );
    const ambiguous = await detach("several");
    expect(ambiguous.code).toBe(2);
    expect(ambiguous.stderr).toMatch(
      /several attachments to pg: DATABASE_URL, OTHER_URL \[attachment_ambiguous\]\nNext: .*--variable-name/,
    );
    succeeded(await detach("several", "--variable-name", "OTHER_URL"));
    expect(await secrets("several")).not.toContain("OTHER_URL");
    expect(await secrets("several")).toContain("DATABASE_URL");
  });

  it("keeps an app that is attached from being destroyed", async () => {
    const ended = await perch(["apps", "destroy", "several", "--yes"]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("[app_in_use]\nNext: ");
    succeeded(await detach("several"));
    expect(succeeded(await perch(["apps", "destroy", "several", "--yes"]))).toBe("Destroyed app several\n");
    expect(succeeded(await perch(["apps", "list"]))).not.toContain("several");
  });

  it("does four attach side by side, and four detach --drop-database", async () => {
    const four = ["s1", "s2", "s3", "s4"];
    for (const app of four) succeeded(await perch(["apps", "create", app]));
    for (let round = 0; round < 2; round++) {
      for (const ended of await Promise.all(four.map((app) => attach(app)))) succeeded(ended);
      const more = [
        detach("s1", "--drop-database", "--yes"),
        perch(["postgres", "users", "create", `u${round}`, "-a", "pg"]),
      ];
      const others = four.slice(1).map((app) => detach(app, "--drop-database", "--yes"));
      for (const ended of await Promise.all([...more, ...others])) succeeded(ended);
      expect(await databases()).not.toMatch(/^s\d /m);
      expect(await users()).not.toMatch(/^s\d /m);
    }
  });

  /** A session of the operator's own, as another program has it. */
  const operator = async (database: string) => {
    const world = worldIn(root);
    return world.connect((await world.leader()).id, database);
  };

  it.each([
    [
      "an open lock, where the database stays",
      [],
      "BEGIN; LOCK TABLE t IN ACCESS SHARE MODE",
      "ROLLBACK",
      /held by the session \d+ of role postgres.*pg_terminate_backend/s,
    ],
    [
      "a prepared transaction, where it is dropped",
      ["--drop-database", "--yes"],
      "BEGIN; INSERT INTO t VALUES (8); PREPARE TRANSACTION 'half'",
      "ROLLBACK PREPARED 'half'",
      /held by the prepared transaction half of role postgres.*ROLLBACK PREPARED 'half'/s,
    ],
    [
      "an active slot, where it is dropped",
      ["--drop-database", "--yes"],
      undefined,
      undefined,
      /held by the active replication slot busy_slot/,
    ],
  ])(
    "is undone as a whole because of %s: it names that, and nothing is dropped later",
    async (_what, flags, hold, letGo, said) => {
      await newApp("stuck");
      await query("stuck", "CREATE TABLE t (n int); INSERT INTO t VALUES (7); CREATE TABLE u (n int)");
      const other = await operator("stuck");
      let reader: pg.Client | undefined;
      if (hold !== undefined) await other.query(hold);
      else {
        await other.query("SELECT pg_create_logical_replication_slot('busy_slot', 'pgoutput')");
        reader = await worldIn(root).connect((await worldIn(root).leader()).id, "stuck", { replication: "database" });
        void reader
          .query("START_REPLICATION SLOT busy_slot LOGICAL 0/0 (proto_version '1', publication_names 'none')")
          .catch(() => undefined);
        const active = async () =>
          (await other.query("SELECT FROM pg_replication_slots WHERE active AND slot_name = 'busy_slot'")).rowCount ===
            1 || undefined;
        expect(await ask(active, { everyMs: 100, withinMs: 10_000 })).toBe(true);
      }
      const ended = await detach("stuck", ...flags);
      expect(ended.code).toBe(1);
      expect(ended.stderr).toMatch(/\[held\]/);
      expect(ended.stderr).toMatch(said);
      expect(await query("stuck", "SELECT n FROM t")).toBe("7");
      expect(await query("stuck", "SELECT count(*) FROM pg_tables WHERE tableowner = 'stuck'")).toBe("2");
      if (letGo !== undefined) await other.query(letGo);
      if (reader !== undefined)
        await other.query(
          "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = 'busy_slot'",
        );
      await other.end();
      expect(await query("stuck", "SELECT n FROM t")).toBe("7");
      expect(await databases()).toMatch(/^stuck /m);
      const gone = async () => ((await detach("stuck", "--drop-database", "--yes")).code === 0 ? true : undefined);
      expect(await ask(gone, { everyMs: 200, withinMs: 20_000 })).toBe(true);
      succeeded(await perch(["apps", "destroy", "stuck", "--yes"]));
    },
  );

  it("shuts an existing database to those whom PUBLIC alone let in, and keeps what was granted by name", async () => {
    const other = await operator("postgres");
    await other.query("CREATE DATABASE legacy");
    await other.query(
      "CREATE ROLE friend LOGIN PASSWORD 'f'; CREATE ROLE stranger LOGIN PASSWORD 's'; GRANT CONNECT ON DATABASE legacy TO friend",
    );
    const inside = await operator("legacy");
    // As a dump of PostgreSQL 14 restores it.
    await inside.query(
      "ALTER SCHEMA public OWNER TO postgres; GRANT CREATE ON SCHEMA public TO PUBLIC; CREATE TABLE old (n int); SELECT lo_create(4711)",
    );
    await inside.end();
    const enters = async (role: string) =>
      (await other.query<{ may: boolean }>("SELECT has_database_privilege($1, 'legacy', 'CONNECT') AS may", [role]))
        .rows[0]?.may;
    expect([await enters("friend"), await enters("stranger")]).toEqual([true, true]);
    succeeded(await perch(["apps", "create", "heir"]));
    succeeded(await attach("heir", "--database-name", "legacy", "--yes"));
    expect([await enters("friend"), await enters("stranger")]).toEqual([true, false]);
    expect(
      await query(
        "heir",
        "SELECT has_schema_privilege('friend', 'public', 'CREATE'), has_database_privilege('friend', 'legacy', 'TEMP')",
      ),
    ).toBe("f|f");
    await query("heir", "ALTER TABLE old ADD COLUMN m int; CREATE TABLE made (n int); SELECT lo_unlink(4711)");
    expect(succeeded(await perch(["events"]))).toContain(
      "PUBLIC lost CONNECT, TEMPORARY, CREATE on its schema public of database legacy",
    );
    await other.end();
    succeeded(await detach("heir", "--drop-database", "--yes"));
  });

  it("neither attaches nor detaches while the leader is stopped, and says how to start it", async () => {
    const machines = JSON.parse(succeeded(await perch(["machine", "list", "--json"]))) as {
      id: string;
      role?: string;
    }[];
    const leader = machines.find(({ role }) => role === "leader");
    await newApp("before");
    succeeded(await perch(["apps", "create", "after"]));
    succeeded(await perch(["machine", "stop", leader?.id ?? ""]));
    for (const ended of [await attach("after"), await detach("before")]) {
      expect(ended.code).toBe(1);
      expect(ended.stderr).toContain("no active leader found in cluster pg");
      expect(ended.stderr).toContain(`perch machine start ${leader?.id}`);
    }
    expect(await secrets("after")).toContain("has no secrets");
    expect(await secrets("before")).toContain("DATABASE_URL");
    succeeded(await perch(["machine", "start", leader?.id ?? ""]));
    succeeded(await attach("after"));
    expect(await query("before", "SELECT 1")).toBe("1");
  });
});
