import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { schemaEngine } from "../support/prisma-engine.ts";
import { eventually } from "../support/world.ts";

describe("examples/prisma", () => {
  let prisma: Example;

  beforeAll(async () => {
    prisma = await exampleOf("prisma");
    await prisma.prepare(["npm", "ci", "--no-audit", "--no-fund"]);
    const engine = await schemaEngine();
    Object.assign(prisma.env, engine.env);
    process.stderr.write(`examples/prisma: the schema engine is ${engine.which}\n`);
    await prisma.prepare(["npx", "prisma", "generate"]);
    await attach(prisma);
  });

  it("pulls the models of an existing schema into a project that prisma init has made", async () => {
    const project = join(prisma.directory, "brownfield");
    await mkdir(project);
    await prisma.prepare(["../node_modules/.bin/prisma", "init", "--no-skills"], { cwd: project });
    await rm(join(project, ".env")); // It names a database of `prisma dev`; the URL comes from the run.
    await prisma.run(
      "node",
      "--input-type=module",
      "-e",
      `${connect} await client.query("${existing}"); await client.end();`,
    );
    await prisma.run("sh", "-c", "cd brownfield && ../node_modules/.bin/prisma db pull");
    const schema = await readFile(join(project, "prisma/schema.prisma"), "utf8");
    expect(schema).toMatch(
      /^model customers \{\n {2}id +Int +@id @default\(autoincrement\(\)\)\n {2}name String\n\}$/m,
    );
    await prisma.run(
      "node",
      "--input-type=module",
      "-e",
      `${connect} await client.query("DROP TABLE customers"); await client.end();`,
    );
  });

  it("migrates: the table belongs to the app's role, and a second time changes nothing", async () => {
    await prisma.run("npx", "prisma", "migrate", "deploy");
    expect(await prisma.run("npx", "prisma", "migrate", "deploy")).toContain("No pending migrations to apply.");
    expect(await prisma.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'Post'")).toEqual([
      { tableowner: "web" },
    ]);
    expect(
      await prisma.rows("SELECT migration_name, finished_at IS NOT NULL AS finished FROM _prisma_migrations"),
    ).toEqual([{ migration_name: "20261124080000_create_post", finished: true }]);
  });

  it("creates a Post and reads it back", async () => {
    expect(await prisma.run("npm", "start", "--silent")).toBe("post 1 of 1: PostgreSQL on Perch\n");
    expect((await prisma.runIn("lhr", "node", "index.js")).stdout).toBe("post 2 of 2: PostgreSQL on Perch\n");
    const post = { title: "PostgreSQL on Perch", content: "" };
    expect(await prisma.rows(`SELECT * FROM "Post" ORDER BY id`)).toEqual([
      { id: 1, ...post },
      { id: 2, ...post },
    ]);
  });

  it("has a Studio that answers inside the private network", async () => {
    // Not through npx, which keeps signals for itself.
    const studio = await prisma.serve("node_modules/.bin/prisma", "studio", "--port", "5555", "--browser", "none");
    const ask = `const page = await fetch("http://localhost:5555/"); console.log(page.status, await page.text());`;
    const { answer } = await eventually("Studio answers", async () => {
      const asked = await prisma.world.perch(["run", "--", "node", "--input-type=module", "-e", ask]);
      return asked.code === 0 && asked.stdout;
    });
    studio.kill("SIGTERM");
    await studio.ended;
    expect(answer).toMatch(/^200 <!doctype html>[^]*__STUDIO_CONFIG__ = {"adapter":"postgres"}/);
  });
});

const connect = `const { default: pg } = await import("pg"); const client = new pg.Client(process.env.DATABASE_URL); await client.connect();`;
const existing = "CREATE TABLE customers (id serial PRIMARY KEY, name text NOT NULL)";
