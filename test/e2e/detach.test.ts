import { beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../src/base/deadline.ts";
import { perchIn, succeeded } from "../support/perch.ts";
import { queryAs } from "../support/query.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("postgres detach", () => {
  const perch = perchIn(tempHome());
  const query = async (app: string, sql: string) => succeeded(await queryAs(perch, app, sql)).trim();
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
    succeeded(await perch(["postgres", "create", "--name", "pg", "--region", "ams"]));
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
    await query("web", "ALTER TABLE kept ADD COLUMN m int; DROP FUNCTION f(); DROP SEQUENCE s; ALTER TABLE kept RENAME TO still");
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
    expect(await query("guest", "ALTER TABLE t ADD COLUMN m int; INSERT INTO t VALUES (2); CREATE TABLE u (n int); SELECT count(*) FROM t")).toBe(
      "2",
    );
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
      (await query("busy", "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^SELECT pg_sleep'")) === "1" ? true : undefined;
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
    succeeded(await attach("several", "--variable-name", "OTHER_URL", "--database-name", "other", "--database-user", "other"));
    const ambiguous = await detach("several");
    expect(ambiguous.code).toBe(2);
    expect(ambiguous.stderr).toMatch(/several attachments to pg: DATABASE_URL, OTHER_URL \[attachment_ambiguous\]\nNext: .*--variable-name/);
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

  it("neither attaches nor detaches while the leader is stopped, and says how to start it", async () => {
    const machines = JSON.parse(succeeded(await perch(["machine", "list", "--json"]))) as { id: string; role?: string }[];
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
