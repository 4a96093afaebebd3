import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runToEnd, succeeded } from "../support/perch.ts";
import { queryAs } from "../support/query.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("postgres attach", () => {
  const world = worldIn();
  const { perch, query } = world;
  const attach = (app: string, ...flags: string[]) => perch(["postgres", "attach", "pg", "--app", app, ...flags]);
  const newApp = async (app: string, ...flags: string[]) => {
    succeeded(await perch(["apps", "create", app]));
    return succeeded(await attach(app, ...flags));
  };
  const databases = async () => succeeded(await perch(["postgres", "db", "list", "-a", "pg"]));
  const secrets = async (app: string) => succeeded(await perch(["secrets", "list", "-a", app]));

  beforeAll(async () => {
    succeeded(await perch(["up"]));
    succeeded(await perch(["postgres", "create", "--name", "pg", "--region", "ams", "--password", "secret123"]));
    await newApp("web");
  });

  it("makes a role without any right over the cluster, which owns its database", async () => {
    const rights =
      "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = current_user";
    expect(await query("web", rights)).toBe("f|f|f|f");
    expect(
      await query(
        "web",
        "SELECT current_database(), pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()",
      ),
    ).toBe("web|web");
    await query(
      "web",
      "CREATE TABLE visits (n int); INSERT INTO visits VALUES (1); CREATE SCHEMA own; CREATE EXTENSION IF NOT EXISTS pgcrypto",
    );
  });

  it("says what it did as flyctl does, and shows the URL without its password", async () => {
    const said = await newApp("said-app");
    expect(said).toContain(
      "Postgres cluster pg is now attached to said-app\nThe following secret was added to said-app:\n  DATABASE_URL=",
    );
    const url = await world.url("said-app");
    expect(url).toMatch(/^postgres:\/\/said_app:[^@]{20,}@pg\.internal:5432\/said_app$/);
    expect(said).not.toContain(new URL(url).password);
  });

  it("takes the lines that are written for flyctl as they stand, where it is called fly and flyctl", async () => {
    const [bin, cwd] = [temporaryDirectory(), temporaryDirectory()];
    succeeded(await perch(["install-cli", "--dir", bin, "--as", "flyctl"]));
    writeFileSync(join(cwd, "fly.toml"), 'app = "typed"\nprimary_region = "ams"\n');
    const env = { PERCH_HOME: world.root, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
    const type = async (line: string) => succeeded(await runToEnd(["sh", "-c", line], { cwd, env }));
    const asked = (sql: string) => type(`flyctl run -- sh -c 'psql "$DATABASE_URL" -XAtc "${sql}"'`);

    await type("fly apps create typed");
    await type("flyctl secrets set DATABASE_URL=postgres://postgres:secret123@pg.internal:5432/web");
    expect(await asked("SELECT current_user, current_database()")).toBe("postgres|web\n");
    expect(
      await type("fly run -- psql postgres://postgres:secret123@pg.internal:5432 -XAtc 'SELECT current_user'"),
    ).toBe("postgres\n");

    await type("flyctl secrets unset DATABASE_URL");
    expect(await type("flyctl postgres attach pg --app typed")).toContain(
      "Postgres cluster pg is now attached to typed",
    );
    expect(await asked("SELECT current_user = current_database()")).toBe("t\n");

    const [leader] = JSON.parse(await type("flyctl machine list -a pg --json")) as { id: string }[];
    const replica = JSON.parse(await type(`flyctl machine clone ${leader?.id ?? ""} --region lhr --app pg --json`)) as {
      id: string;
    };
    // The document's port of the nearest member.
    const near = `flyctl run --region lhr -- sh -c 'psql "$(echo "$DATABASE_URL" | sed s/:5432/:5433/)" -XAtc "SELECT pg_is_in_recovery()"'`;
    expect(await type(near)).toBe("t\n");
    await type(`flyctl machine destroy ${replica.id} --yes`);
  });

  it("takes a cluster and an app named as words, and words of other tools", async () => {
    succeeded(await perch(["apps", "create", "worded"]));
    expect(succeeded(await perch(["pg:link", "pg", "worded"]))).toContain("pg is now attached to worded");
    expect(succeeded(await perch(["psql", "pg", "-c", "SELECT 'as ' || current_user"]))).toContain("as postgres");
    expect(succeeded(await perch(["secrets", "list", "worded"]))).toMatch(/^DATABASE_URL /m);
    const of = async (name: string) => {
      const { apps, clusters } = JSON.parse(succeeded(await perch(["status", name, "--json"]))) as Record<
        "apps" | "clusters",
        { name: string }[]
      >;
      return [apps.map((app) => app.name), clusters.map((cluster) => cluster.name)];
    };
    expect(await of("worded")).toEqual([["worded"], ["pg"]]);
    expect(await of("pg")).toEqual([[], ["pg"]]);
    expect(succeeded(await perch(["pg", "logs", "pg", "-n", "1"]))).toMatch(/ LOG: /);
    const refused = async (...words: string[]) => (await perch(words)).stderr;
    expect(await refused("apps", "destroy", "worded", "pg", "--yes")).toContain(
      "Next: Use: perch postgres destroy pg\n",
    );
    expect(await refused("apps", "create", "pg")).toContain("or destroy it first: perch postgres destroy pg\n");
    expect(await refused("pg", "delete", "nosuch")).toContain("[app_not_found]");
    expect(await refused("pg", "db", "drop", "nosuch", "-a", "pg")).toContain("[database_not_found]");
    expect(await refused("pg", "users", "drop", "nosuch", "-a", "pg")).toContain("[user_not_found]");
    expect(await refused("pg", "users", "drop", "..", "-a", "pg", "--yes")).toContain(
      'user ".." is not valid: a URL cannot carry it',
    );
    expect(await refused("pg", "detach", "pg", "-a", "nosuch", "--drop-database")).toContain("[no_attachments]");
    expect(await refused("pg", "db", "drop", "web", "-a", "pg")).toContain("[confirmation_needed]");
    expect(await refused("pg", "connect", "")).toContain('app name "" is not valid: it is empty [name_invalid]');
  });

  it("gives an app without a region of its own that of the cluster, where the leader is", async () => {
    succeeded(await perch(["postgres", "create", "--name", "far", "--region", "syd"]));
    succeeded(await perch(["apps", "create", "homeless"]));
    const where = async () =>
      succeeded(
        await perch(["run", "-a", "homeless", "--", "sh", "-c", 'echo "$FLY_REGION [$PRIMARY_REGION]"']),
      ).trim();
    expect(await where()).toBe("ams []");
    succeeded(await perch(["postgres", "attach", "far", "--app", "homeless"]));
    expect(await where()).toBe("syd [syd]");
  });

  it("lets no other app's role into the database", async () => {
    await newApp("nosy");
    const ended = await queryAs(perch, "nosy", `\\connect web`);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain('permission denied for database "web"');
  });

  it("refuses where the secret exists, and makes nothing", async () => {
    succeeded(await perch(["apps", "create", "own-url"]));
    succeeded(await perch(["secrets", "set", "-a", "own-url", "DATABASE_URL=mine"]));
    const ended = await attach("own-url");
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(
      'consumer app "own-url" already contains a secret named DATABASE_URL [secret_exists]\nNext: ',
    );
    expect(await databases()).not.toContain("own_url");
  });

  it("refuses where the user exists, and where the database exists without --yes", async () => {
    succeeded(await perch(["apps", "create", "second"]));
    const user = await attach("second", "--database-user", "web");
    expect(user.code).toBe(1);
    expect(user.stderr).toContain(
      'database user "web" already exists. Please specify a new database user via --database-user',
    );
    const database = await attach("second", "--database-name", "web");
    expect(database.code).toBe(1);
    expect(database.stderr).toMatch(/database "web" already exists in pg \[database_exists\]\nNext: .*--yes/);
    expect(await secrets("second")).toContain("has no secrets");
  });

  it("shares a database that exists after --yes: both roles write to the same tables", async () => {
    succeeded(await perch(["apps", "create", "worker"]));
    succeeded(await attach("worker", "--database-name", "web", "--yes"));
    expect(await query("worker", "INSERT INTO visits VALUES (2); SELECT session_user, count(*) FROM visits")).toBe(
      "worker|2",
    );
    expect(await query("worker", "CREATE TABLE jobs (n int); INSERT INTO jobs VALUES (7)")).toBe("");
    expect(await query("web", "ALTER TABLE jobs ADD COLUMN m int; SELECT n FROM jobs")).toBe("7");
  });

  it("refuses a second time, and accepts it with --if-not-attached", async () => {
    const again = await attach("web");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('app "web" is already attached to pg as DATABASE_URL [already_attached]');
    expect(succeeded(await attach("web", "--if-not-attached"))).toBe(
      "Postgres cluster pg was attached to web already, as DATABASE_URL\n",
    );
  });

  it("may have a third of the connections unless told, and the limit can be changed", async () => {
    succeeded(await perch(["apps", "create", "narrow"]));
    expect(succeeded(await perch(["postgres", "attach", "pg", "--app", "narrow"]))).toContain(
      "Its role may have 100 connections at a time",
    );
    expect(succeeded(await perch(["status"]))).toMatch(/narrow +narrow +narrow +DATABASE_URL +100/);
    expect(
      succeeded(await perch(["postgres", "attach", "pg", "--app", "narrow", "--connection-limit", "1"])),
    ).toContain("narrow may have 1 connection at a time to pg");
    const two = await queryAs(perch, "narrow", "\\! psql $DATABASE_URL -c 'SELECT 1'");
    expect(two.stderr).toContain('too many connections for role "narrow"');
    succeeded(await perch(["postgres", "attach", "pg", "--app", "narrow", "--connection-limit", "none"]));
    expect(succeeded(await perch(["status"]))).toMatch(/narrow +narrow +narrow +DATABASE_URL +any number/);
  });

  it("makes a superuser only when asked", async () => {
    await newApp("boss", "--superuser");
    expect(await query("boss", "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")).toBe("t");
  });

  it.each([
    ["spaces-and-quotes", `it's "quoted" a`, `o'br"ien`],
    ["slashes", "a/b?c=d&e#f%20", "u@h:5432/x"],
    ["letters", "données_日本", "Ünïcödé"],
    ["dollars", "$(id)`id`", "\\back$1"],
    ["keyword", "select", "user"],
  ])("takes odd names, and the URL leads there: %s", async (app, database, user) => {
    await newApp(app, "--database-name", database, "--database-user", user, "--variable-name", "PG_URL");
    const asked =
      "SELECT current_database() || chr(10) || current_user || chr(10) || pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()";
    expect(await query(app, asked, "PG_URL")).toBe(`${database}\n${user}\n${user}`);
    succeeded(await perch(["postgres", "detach", "pg", "--app", app, "--drop-database", "--yes"]));
    expect(await databases()).not.toContain(database);
  });

  it("writes the URL as SQLAlchemy wants it with --scheme postgresql", async () => {
    await newApp("alchemy", "--scheme", "postgresql");
    expect(succeeded(await perch(["run", "-a", "alchemy", "--", "sh", "-c", 'echo "$DATABASE_URL"']))).toMatch(
      /^postgresql:\/\/alchemy:/,
    );
  });

  it("refuses names that PostgreSQL could not keep, before anything is made", async () => {
    succeeded(await perch(["apps", "create", "long"]));
    for (const name of ["", "n".repeat(64), "é".repeat(32), "pg_mine"]) {
      const ended = await attach("long", "--database-name", name);
      expect(ended.code, name).toBe(2);
      expect(ended.stderr, name).toContain("[identifier_invalid]\nNext: ");
    }
    const protectedOne = await attach("long", "--database-name", "postgres", "--yes");
    expect(protectedOne.code).toBe(1);
    expect(protectedOne.stderr).toContain("[database_protected]");
    for (const name of ["template0", "template1"])
      expect((await attach("long", "--database-name", name, "--yes")).code, name).toBe(1);
    expect(await secrets("long")).toContain("has no secrets");
  });

  it("makes nothing for an app or a cluster that does not exist", async () => {
    const app = await attach("nobody");
    expect(app.code).toBe(1);
    expect(app.stderr).toContain('app "nobody" does not exist [app_not_found]');
    const cluster = await perch(["postgres", "attach", "web", "--app", "web"]);
    expect(cluster.stderr).toContain("app web is not a postgres app [not_a_cluster]");
    expect(await databases()).not.toContain("nobody");
  });
});
