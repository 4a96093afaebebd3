import { beforeAll, describe, expect, it } from "vitest";
import { attach, type Example, exampleOf } from "../support/example.ts";
import { succeeded } from "../support/perch.ts";
import { eventually } from "../support/world.ts";

interface Where {
  replica: boolean;
  address: string;
  role: string;
  visits: number;
}

describe("examples/sequelize-replicas", () => {
  let app: Example;
  /** Where the example arrived when it ran in a region, as PostgreSQL told it. */
  const from = async (region: string, ...argv: string[]): Promise<Where> => {
    const said = succeeded(await app.runIn(region, "node", "index.js", ...argv));
    return JSON.parse(said.trim().split("\n").at(-1) ?? "") as Where;
  };
  const memberIn = async (region: string) => {
    const found = (await app.world.cluster()).members.find((member) => member.region === region);
    if (found === undefined) throw new Error(`there is no member in ${region}`);
    return found;
  };
  const visitsAt = async (region: string): Promise<number> => {
    const [row] = await app.world.sql<{ count: number }>(
      (await memberIn(region)).id,
      `SELECT count(*)::int FROM "Visits"`,
      "web",
    );
    return row?.count ?? 0;
  };

  beforeAll(async () => {
    app = await exampleOf("sequelize-replicas");
    await app.prepare(["npm", "ci", "--no-audit", "--no-fund"]);
    await attach(app);
    const { id } = await app.world.leader();
    for (const region of ["iad", "sjc"]) await app.world.ok("machine", "clone", id, "--region", region);
    await app.run("npx", "sequelize", "db:migrate");
  });

  it("writes to the leader in the primary region", async () => {
    expect(await from("ams", "visit")).toEqual({
      replica: false,
      address: (await memberIn("ams")).address,
      role: "web",
      visits: 1,
    });
    await eventually(
      "both replicas have the row",
      async () => (await visitsAt("iad")) === 1 && (await visitsAt("sjc")) === 1,
    );
  });

  it("reads from the replica of the region it runs in", async () => {
    expect(await from("iad")).toEqual({
      replica: true,
      address: (await memberIn("iad")).address,
      role: "web",
      visits: 1,
    });
    expect(await from("sjc")).toEqual({
      replica: true,
      address: (await memberIn("sjc")).address,
      role: "web",
      visits: 1,
    });
  });

  it("reads from the nearest replica in a region that has none", async () => {
    expect(await from("yyz")).toMatchObject({ replica: true, address: (await memberIn("iad")).address });
    expect(await from("lax")).toMatchObject({ replica: true, address: (await memberIn("sjc")).address });
  });

  it("is told PostgreSQL's own words for a wrong password, which is sent once", async () => {
    const url = "DATABASE_URL=postgres://web:wrong@pg.internal:5432/web";
    const words = 'password authentication failed for user "web"';
    expect((await app.runIn("yyz", "env", url, "node", "index.js")).stderr).toBe(`28P01: ${words}\n`);
    const logged = async () => (await app.world.ok("logs", "-a", "pg", "-n", "1000")).split(words).length - 1;
    await eventually("the log tells of it", async () => (await logged()) > 0);
    expect(await logged()).toBe(1);
  });

  it("is refused a write on a replica with 25006, and no row is anywhere", async () => {
    const refused = await app.runIn("iad", "node", "index.js", "visit");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("25006: cannot execute INSERT in a read-only transaction\n");
    expect(await visitsAt("ams")).toBe(1);
  });

  it("reads from the next replica while its own is stopped, and from its own again when that is back", async () => {
    const { id, address } = await memberIn("iad");
    await app.world.ok("machine", "stop", id);
    expect(await from("iad")).toMatchObject({ replica: true, address: (await memberIn("sjc")).address });
    await app.world.ok("machine", "start", id);
    expect(await from("iad")).toMatchObject({ replica: true, address });
  });
});
