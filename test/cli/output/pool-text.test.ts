import { describe, expect, it } from "vitest";
import type { PoolStatus } from "../../../src/api/schemas.ts";
import { poolText } from "../../../src/cli/output/pool-text.ts";

const pool: PoolStatus = {
  cluster: "pg",
  on: true,
  mode: "transaction",
  size: 20,
  version: "1.18.0",
  preparedStatements: false,
  poolers: [
    { id: "leader", state: "started", counts: { clients: 900, waiting: 3, servers: 20 } },
    { id: "1e81df7f048e3b", state: "stopped", counts: null, note: "another program listens there" },
  ],
};

describe("poolText", () => {
  it("shows each pooler with who is connected through it, and what keeps one from running", () => {
    const text = poolText(pool);
    expect(text).toContain(
      "Pooler of pg: PgBouncer 1.18.0, transaction mode, 20 connections for each database and role\n",
    );
    expect(text).toMatch(/^ {2}6432 of any member +started +900 +3 +20 *$/m);
    expect(text).toMatch(/^ {2}6433 of 1e81df7f048e3b +stopped +- +- +- +another program listens there$/m);
  });

  it("says what a driver must know where prepared statements do not work, and only there", () => {
    expect(poolText(pool)).toMatch(
      /No client may prepare statements through it: .* perch postgres recipe CLIENT -a APP$/,
    );
    expect(poolText({ ...pool, version: "1.23.1", preparedStatements: true })).not.toContain("prepare");
  });

  it("says how one is had where there is none", () => {
    expect(poolText({ ...pool, on: false, poolers: [] })).toBe(
      "Cluster pg has no pooler. Switch one on with: perch postgres pool on -a pg",
    );
  });
});
