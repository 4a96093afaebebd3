import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";
import { eventually } from "../support/world.ts";

describe.skipIf(missingTools("rails", "ruby -rpg -e 1"))("examples/rails", () => {
  let rails: Example;
  /** A request from elsewhere in the private network, by a run without any app: "201 {…}". */
  const request = async (method: string, path: string): Promise<string | undefined> => {
    const script = `const r = await fetch("http://web.internal:3000${path}", { method: "${method}" }); console.log(r.status, await r.text());`;
    const asked = await rails.world.perch(["run", "--", "node", "--input-type=module", "-e", script]);
    return asked.code === 0 ? asked.stdout.trim() : undefined;
  };

  beforeAll(async () => {
    rails = await exampleOf("rails");
    // From what the machine has: the distribution's updates go up and, when one is taken back, down.
    await rails.prepare(["bundle", "lock", "--local"]);
    await attach(rails);
  });

  it("migrates by DATABASE_URL alone: the table belongs to the app's role", async () => {
    await rails.run("bin/rails", "db:migrate");
    expect(await rails.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'posts'")).toEqual([
      { tableowner: "web" },
    ]);
    expect(await rails.rows("SELECT version FROM schema_migrations")).toEqual([{ version: "20261124080000" }]);
  });

  it("keeps a model's row", async () => {
    await rails.run("bin/rails", "runner", "Post.create!(title: ENV['FLY_REGION'])");
    expect(await rails.rows("SELECT id::int, title FROM posts")).toEqual([{ id: 1, title: "ams" }]);
  });

  it("answers requests of the private network: one keeps a post, the next lists it", async () => {
    const server = await rails.serve("bin/rails", "server", "-b", "::");
    await eventually("Rails answers", async () => (await request("GET", "/posts")) === '200 ["ams"]', 30_000);
    expect(await request("POST", "/posts?title=Perch")).toBe('201 {"id":2}');
    expect(await request("GET", "/posts")).toBe('200 ["ams","Perch"]');
    server.kill("SIGINT");
    await server.ended;
    expect(await rails.rows("SELECT title FROM posts ORDER BY id")).toEqual([{ title: "ams" }, { title: "Perch" }]);
  });
});
