import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("python3 -c 'import ensurepip'"))("examples/sqlalchemy-async", () => {
  let sqlalchemy: Example;

  beforeAll(async () => {
    sqlalchemy = await exampleOf("sqlalchemy-async");
    await sqlalchemy.prepare(["python3", "-m", "venv", ".venv"]);
    await sqlalchemy.prepare([".venv/bin/pip", "install", "-q", "-r", "requirements.lock"]);
    await attach(sqlalchemy);
  });

  it("keeps its visits on the leader, in a table that the app's role owns", async () => {
    expect(await sqlalchemy.run(".venv/bin/python", "main.py")).toBe("1 visit(s)\n");
    expect((await sqlalchemy.runIn("lhr", ".venv/bin/python", "main.py")).stdout).toBe("2 visit(s)\n");
    expect(await sqlalchemy.rows("SELECT region FROM visits ORDER BY id")).toEqual([
      { region: "ams" },
      { region: "lhr" },
    ]);
    expect(await sqlalchemy.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'visits'")).toEqual([
      { tableowner: "web" },
    ]);
  });
});
