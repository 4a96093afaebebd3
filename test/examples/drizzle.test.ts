import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { succeeded } from "../support/perch.ts";

describe("examples/drizzle", () => {
  let drizzle: Example;

  beforeAll(async () => {
    drizzle = await exampleOf("drizzle");
    await drizzle.prepare(["npm", "ci", "--no-audit", "--no-fund"]);
    await attach(drizzle);
  });

  it("migrates: the table belongs to the app's role, and a second time changes nothing", async () => {
    await drizzle.run("npm", "run", "migrate", "--silent");
    await drizzle.run("npm", "run", "migrate", "--silent");
    expect(await drizzle.rows("SELECT tableowner FROM pg_tables WHERE tablename = 'visits'")).toEqual([
      { tableowner: "web" },
    ]);
    expect(await drizzle.rows("SELECT id FROM drizzle.__drizzle_migrations")).toEqual([{ id: 1 }]);
  });

  it("leaves its visits on the leader, with the region of each run", async () => {
    expect(await drizzle.run("npm", "start", "--silent")).toBe("visit 1 of 1, from ams\n");
    expect(succeeded(await drizzle.runIn("lhr", "node", "index.js"))).toBe("visit 2 of 2, from lhr\n");
    expect(await drizzle.rows("SELECT id, region FROM visits ORDER BY id")).toEqual([
      { id: 1, region: "ams" },
      { id: 2, region: "lhr" },
    ]);
  });
});
