import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("python3 -c 'import ensurepip'"))("examples/asyncpg", () => {
  let asyncpg: Example;

  beforeAll(async () => {
    asyncpg = await exampleOf("asyncpg");
    await asyncpg.prepare(["python3", "-m", "venv", ".venv"]);
    await asyncpg.prepare([".venv/bin/pip", "install", "-q", "-r", "requirements.lock"]);
    await attach(asyncpg);
  });

  it("keeps its greeting on the leader, from whichever region it runs in", async () => {
    const { address } = await asyncpg.world.leader();
    expect(await asyncpg.run(".venv/bin/python", "main.py")).toBe(`Hello, world! from ams, kept at ${address}\n`);
    expect((await asyncpg.runIn("lhr", ".venv/bin/python", "main.py")).stdout).toContain(
      `from lhr, kept at ${address}\n`,
    );
    expect(await asyncpg.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'greetings'")).toEqual([
      { tableowner: "web" },
    ]);
  });
});
