import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { attachedApp } from "../support/attached.ts";
import { type perchIn, repository, succeeded } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("psql"))("examples/psql", () => {
  let perch: ReturnType<typeof perchIn>;
  const cwd = join(repository, "examples/psql");
  const psql = (args: string) => perch(["run", "-a", "web", "--", "sh", "-c", `psql "$DATABASE_URL" ${args}`], { cwd });

  beforeAll(async () => {
    ({ perch } = await attachedApp());
  });

  it("shows the connection as the app's role in the app's database, on the leader", async () => {
    const shown = succeeded(await psql("--no-align --tuples-only -f connections.sql"));
    expect(shown).toMatch(/^\d+\|web\|SELECT pid/m);
    expect(shown).toMatch(/^web\|web\|\d+\|f$/m);
  });

  it("writes what a later session reads", async () => {
    succeeded(await psql(`-c "CREATE TABLE kept (word text)" -c "INSERT INTO kept VALUES ('perch')"`));
    expect(succeeded(await psql(`--no-align --tuples-only -c "SELECT word FROM kept"`))).toBe("perch\n");
  });

  it("passes on psql's own exit code", async () => {
    const refused = await psql(`-v ON_ERROR_STOP=1 -c "SELECT 1/0"`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("division by zero");
  });
});
