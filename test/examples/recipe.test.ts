import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { cargoEnvironment, cargoTools } from "../support/cargo.ts";
import { exampleOf } from "../support/example.ts";
import { repository, runToEnd, succeeded } from "../support/perch.ts";
import { schemaEngine } from "../support/prisma-engine.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools, phpTools } from "../support/tools.ts";
import { operatorPassword, type World, worldIn } from "../support/world.ts";

/**
 * What `perch postgres recipe` prints, typed into an empty directory: the files written, the lines run, by an app whose
 * names are not those of the examples.
 */
interface Printed {
  url: string;
  files: { path: string; text: string }[];
  install: string[];
  run: string[];
}

/** Crates and modules are compiled when a machine sees them first. */
const firstBuildMs = 600_000;

describe("a recipe, followed as it is printed", () => {
  let world: World;
  const bin = temporaryDirectory();

  beforeAll(async () => {
    await writeFile(join(bin, "perch"), `#!/bin/sh\nexec node '${join(repository, "dist/cli/main.js")}' "$@"\n`, {
      mode: 0o755,
    });
    world = worldIn();
    await world.ok("up");
    await world.ok("postgres", "create", "--name", "main-db", "--region", "fra", "--password", operatorPassword);
  });

  /** In an empty directory, or in a project such as the client's own generator makes. Gives what the last line said. */
  async function follow(
    client: string,
    project = false,
    more: Record<string, string> = {},
    pooled = false,
  ): Promise<string> {
    const app = `${pooled ? "pooled" : "my"}-${client}`;
    await world.ok("apps", "create", app, "--region", "fra");
    await world.ok(
      "postgres",
      "attach",
      "main-db",
      "--app",
      app,
      "--variable-name",
      "MAIN_URL",
      ...(pooled ? ["--pooled"] : []),
    );
    const printed = await world.json<Printed>("postgres", "recipe", client, "-a", app);
    const role = roleOf(client, pooled);
    expect(printed.url).toBe(`postgres://${role}:***@main-db.internal:${pooled ? 6432 : 5432}/${role}`);
    const cwd = project ? (await exampleOf(client, world)).directory : temporaryDirectory();
    for (const { path, text } of printed.files) {
      await mkdir(dirname(join(cwd, path)), { recursive: true });
      await writeFile(join(cwd, path), text);
    }
    const env = { ...more, PERCH_HOME: world.root, PATH: `${bin}:${process.env["PATH"] ?? ""}` };
    let said = "";
    for (const line of [...printed.install, ...printed.run.filter((typed) => !isServer(typed))])
      said = succeeded(await runToEnd(["sh", "-c", line], { cwd, env }));
    return said;
  }

  const isServer = (line: string): boolean => /\b(runserver|rails server|prisma studio)\b/.test(line);
  const roleOf = (client: string, pooled = false): string =>
    `${pooled ? "pooled" : "my"}_${client.replaceAll("-", "_")}`;
  const rows = async (client: string, text: string, pooled = false) =>
    world.sql((await world.leader("main-db")).id, text, roleOf(client, pooled));

  const node = { needs: [] };
  const python = { needs: ["python3 -c 'import ensurepip'"] };
  const kept = [
    { client: "node", ...node, query: "SELECT region FROM visits", expected: [{ region: "fra" }] },
    {
      client: "python",
      ...python,
      query: "SELECT word, region FROM greetings",
      expected: [{ word: "Hello, world!", region: "fra" }],
    },
    { client: "sqlalchemy", ...python, query: "SELECT region FROM visits", expected: [{ region: "fra" }] },
    {
      client: "asyncpg",
      ...python,
      query: "SELECT word, region FROM greetings",
      expected: [{ word: "Hello, world!", region: "fra" }],
    },
    { client: "sqlalchemy-async", ...python, query: "SELECT region FROM visits", expected: [{ region: "fra" }] },
    {
      client: "jdbc",
      needs: ["java", "mvn"],
      query: "SELECT word, region FROM greetings",
      expected: [{ word: "Hello, world!", region: "fra" }],
    },
    {
      client: "php",
      needs: phpTools,
      query: "SELECT word, region FROM greetings",
      expected: [{ word: "Hello, world!", region: "fra" }],
    },
    {
      client: "rust",
      needs: cargoTools,
      more: cargoEnvironment("recipe"),
      query: "SELECT word, region FROM greetings",
      expected: [{ word: "Hello, world!", region: "fra" }],
    },
    { client: "drizzle", ...node, query: "SELECT region FROM visits", expected: [{ region: "fra" }] },
    { client: "sequelize", ...node, query: 'SELECT region FROM "Visits"', expected: [{ region: "fra" }] },
    {
      client: "django",
      project: true,
      ...python,
      query: "SELECT app, name FROM django_migrations WHERE app = 'greetings'",
      expected: [{ app: "greetings", name: "0001_initial" }],
    },
    {
      client: "rails",
      project: true,
      needs: ["ruby -rpg -e 1", "rails"],
      query: "SELECT version FROM schema_migrations",
      expected: [{ version: "20261124080000" }],
    },
    {
      client: "go",
      needs: ["go"],
      query: "SELECT DISTINCT driver FROM greetings ORDER BY driver",
      expected: [{ driver: "database/sql" }, { driver: "pgx" }],
    },
  ];

  for (const { client, project = false, needs, more = {}, query, expected } of kept) {
    it.skipIf(missingTools(...needs))(
      `leaves its rows in the app's own database: ${client}`,
      async () => {
        await follow(client, project, more);
        expect(await rows(client, query)).toEqual(expected);
      },
      firstBuildMs,
    );
  }

  it("leaves its rows in the app's own database, with Prisma's engine or what stands in for it: prisma", async () => {
    const { which, env } = await schemaEngine();
    process.stderr.write(`perch postgres recipe prisma: the schema engine is ${which}\n`);
    await follow("prisma", false, env);
    expect(await rows("prisma", `SELECT title FROM "Post"`)).toEqual([{ title: "PostgreSQL on Perch" }]);
  });

  // Where clients share connections and may prepare nothing, a recipe that left that out would fail or read what others
  // read.
  describe.skipIf(missingTools("pgbouncer"))("through a pooler whose clients may prepare no statements", () => {
    beforeAll(async () => {
      await world.ok(
        "postgres",
        "pool",
        "on",
        "-a",
        "main-db",
        "--mode",
        "transaction",
        "--no-prepared-statements",
        "--size",
        "2",
      );
    });

    const telling = ["python", "asyncpg", "sqlalchemy", "sqlalchemy-async", "jdbc", "php", "rust", "rails", "go"];
    for (const { client, project = false, needs, more = {}, query, expected } of kept.filter((one) =>
      telling.includes(one.client),
    )) {
      it.skipIf(missingTools(...needs))(
        `leaves its rows in the app's own database: ${client}`,
        async () => {
          await follow(client, project, more, true);
          expect(await rows(client, query, true)).toEqual(expected);
        },
        firstBuildMs,
      );
    }

    it("leaves its rows in the app's own database: prisma", async () => {
      const { env } = await schemaEngine();
      await follow("prisma", false, env, true);
      expect(await rows("prisma", `SELECT title FROM "Post"`, true)).toEqual([{ title: "PostgreSQL on Perch" }]);
    });
  });

  it.skipIf(missingTools("psql"))("ends in a session of the app's role: psql", async () => {
    expect(await follow("psql")).toMatch(/\bmy_psql +\| my_psql +\| +5433 \| f\b/);
  });

  it.skipIf(missingTools("ruby -rpg -e 1"))("ends in a session of the app's role: ruby", async () => {
    expect(await follow("ruby")).toContain("| my_ruby ");
  });

  it("clones the replica it reads from, where the cluster has none: sequelize-replicas", async () => {
    const said = await follow("sequelize-replicas");
    expect(said).toContain('"replica":true');
    expect((await world.replica("main-db")).region).toBe("iad");
    expect(await rows("sequelize-replicas", 'SELECT region FROM "Visits"')).toEqual([{ region: "fra" }]);
    const again = await world.json<Printed>("postgres", "recipe", "sequelize-replicas", "-a", "my-sequelize-replicas");
    expect(again.run.filter((line) => line.startsWith("perch machine clone"))).toEqual([]);
  });
});
