import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("python3 -c 'import ensurepip'"))("examples/python", () => {
  let python: Example;

  beforeAll(async () => {
    python = await exampleOf("python");
    await python.prepare(["python3", "-m", "venv", ".venv"]);
    await python.prepare([".venv/bin/pip", "install", "-q", "-r", "requirements.lock"]);
    await attach(python);
  });

  it("keeps its greeting on the leader, from whichever region it runs in", async () => {
    const { address } = await python.world.leader();
    expect(await python.run(".venv/bin/python", "main.py")).toBe(`Hello, world! from ams, kept at ${address}\n`);
    expect((await python.runIn("lhr", ".venv/bin/python", "main.py")).stdout).toContain(
      `from lhr, kept at ${address}\n`,
    );
    expect(await python.rows("SELECT word, region FROM greetings")).toEqual([
      { word: "Hello, world!", region: "ams" },
      { word: "Hello, world!", region: "lhr" },
    ]);
  });

  it("owns the table as the app's role", async () => {
    expect(await python.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'greetings'")).toEqual([
      { tableowner: "web" },
    ]);
  });
});
