import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("python3 -c 'import ensurepip'"))("examples/sqlalchemy", () => {
  let sqlalchemy: Example;

  beforeAll(async () => {
    sqlalchemy = await exampleOf("sqlalchemy");
    await sqlalchemy.prepare(["python3", "-m", "venv", ".venv"]);
    await sqlalchemy.prepare([".venv/bin/pip", "install", "-q", "-r", "requirements.lock"]);
    await attach(sqlalchemy);
  });

  const python = (app: string, ...argv: string[]) =>
    sqlalchemy.world.perch(["run", "-a", app, "--", ".venv/bin/python", ...argv], { cwd: sqlalchemy.directory });
  const bare = `import os; from sqlalchemy import create_engine, text; engine = create_engine(os.environ["DATABASE_URL"])
with engine.connect() as connection: print(connection.scalar(text("select current_user")))`;

  it("keeps its visits on the leader, in a table that the app's role owns", async () => {
    expect(await sqlalchemy.run(".venv/bin/python", "main.py")).toBe("1 visit(s)\n");
    expect(succeeded(await sqlalchemy.runIn("lhr", ".venv/bin/python", "main.py"))).toBe("2 visit(s)\n");
    expect(await sqlalchemy.rows("SELECT id, region FROM visits ORDER BY id")).toEqual([
      { id: 1, region: "ams" },
      { id: 2, region: "lhr" },
    ]);
    expect(await sqlalchemy.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'visits'")).toEqual([
      { tableowner: "web" },
    ]);
  });

  it("refuses the URL as it is, and takes it from an app attached with --scheme postgresql", async () => {
    const refused = await python("web", "-c", bare);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("Can't load plugin: sqlalchemy.dialects:postgres");
    await sqlalchemy.world.ok("apps", "create", "alchemy");
    await sqlalchemy.world.ok("postgres", "attach", "pg", "--app", "alchemy", "--scheme", "postgresql");
    expect(succeeded(await python("alchemy", "-c", bare))).toBe("alchemy\n");
    expect(succeeded(await python("alchemy", "main.py"))).toBe("1 visit(s)\n");
  });
});
