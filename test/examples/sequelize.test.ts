import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";

describe("examples/sequelize", () => {
  let sequelize: Example;

  beforeAll(async () => {
    sequelize = await exampleOf("sequelize");
    await sequelize.prepare(["npm", "ci", "--no-audit", "--no-fund"]);
    await attach(sequelize);
  });

  it("has the folders that sequelize init makes", async () => {
    const fresh = join(sequelize.directory, "fresh");
    await mkdir(fresh);
    await sequelize.prepare(["../node_modules/.bin/sequelize", "init"], { cwd: fresh });
    expect((await readdir(fresh)).toSorted()).toEqual(["config", "migrations", "models", "seeders"]);
    expect(await readdir(sequelize.directory)).toEqual(expect.arrayContaining(["config", "migrations", "models"]));
  });

  it("migrates through the CLI and its .sequelizerc: the app's role owns the table", async () => {
    await sequelize.run("npx", "sequelize", "db:migrate");
    expect(
      await sequelize.rows(
        "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
      ),
    ).toEqual([
      { tablename: "SequelizeMeta", tableowner: "web" },
      { tablename: "Visits", tableowner: "web" },
    ]);
    expect(await sequelize.rows(`SELECT name FROM "SequelizeMeta"`)).toEqual([
      { name: "20261124080000-create-visit.js" },
    ]);
  });

  it("confirms the connection and leaves its rows", async () => {
    expect(await sequelize.run("node", "index.js")).toMatch(/^Connected to the database!$[^]*^1 visit\(s\)$/m);
    expect((await sequelize.runIn("lhr", "npm", "start", "--silent")).stdout).toContain("2 visit(s)\n");
    expect(await sequelize.rows(`SELECT region FROM "Visits" ORDER BY id`)).toEqual([
      { region: "ams" },
      { region: "lhr" },
    ]);
  });

  it("undoes the migration", async () => {
    await sequelize.run("npx", "sequelize", "db:migrate:undo");
    expect(await sequelize.rows("SELECT tablename FROM pg_tables WHERE tablename = 'Visits'")).toEqual([]);
  });
});
