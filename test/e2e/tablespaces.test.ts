import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/** Two servers of one host would write the same files of a tablespace: both have its path. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("a tablespace outside of the data directory", () => {
  const world = worldIn();
  const outside = temporaryDirectory();

  /** A directory that PostgreSQL may use, as CREATE TABLESPACE wants one. */
  const place = (name: string): string => {
    chmodSync(outside, 0o711);
    const path = join(outside, name);
    mkdirSync(path, { mode: 0o700 });
    const { uid, gid } = statSync(join(world.home.postgres, world.directories()[0] ?? "", "data"));
    chownSync(path, uid, gid);
    return path;
  };

  beforeAll(async () => {
    await world.ok("up");
    await world.create("pg", "--initial-cluster-size", "2");
  });
  afterAll(() => world.ok("down"));

  it("stops the replica at once, which says why, and leaves the leader's data whole", async () => {
    const leader = await world.leader();
    await world.sql(leader.id, `CREATE TABLESPACE fast LOCATION '${place("fast")}'`);
    await world.sql(
      leader.id,
      "CREATE TABLE t TABLESPACE fast AS SELECT n, repeat('x', 100) AS pad FROM generate_series(1, 50000) AS n",
    );
    const { answer } = await eventually("the replica is stopped", async () => {
      const replica = await world.replica();
      return (
        replica.state === "failed" && replica.note?.includes("lies outside of the data directory") === true && replica
      );
    });
    expect(answer.note).toContain("ALTER TABLE … SET TABLESPACE pg_default");
    await eventually("an event says it", async () =>
      (await world.ok("events", "-n", "50")).includes("lies outside of the data directory"),
    );
    await world.sql(leader.id, "UPDATE t SET n = n + 1");
    await world.sql(leader.id, "CHECKPOINT");
    await world.ok("postgres", "restart", "-a", "pg");
    // Every page is read and its checksum looked at.
    expect(await world.sql<{ count: number }>(leader.id, "SELECT count(pad)::int AS count FROM t")).toEqual([
      { count: 50_000 },
    ]);
    expect(await world.sql(leader.id, "SELECT sum(checksum_failures)::int AS wrong FROM pg_stat_database")).toEqual([
      { wrong: 0 },
    ]);
    expect((await world.replica()).state).toBe("failed");
  });

  it("keeps a clone from being made, before anything is changed", async () => {
    const leader = await world.leader();
    const before = world.directories();
    const { code, exit } = await world.error("machine", "clone", leader.id, "--region", "lhr");
    expect([code, exit]).toEqual(["tablespaces_present", 1]);
    expect(world.directories()).toEqual(before);
  });

  it("lets the replica follow again when it is dropped", async () => {
    const leader = await world.leader();
    await world.sql(leader.id, "ALTER TABLE t SET TABLESPACE pg_default");
    await world.sql(leader.id, "DROP TABLESPACE fast");
    await eventually("the replica streams", async () => (await world.replica()).state === "streaming", 60_000);
    const replica = await world.replica();
    await eventually("and has everything", async () => {
      const rows = await world
        .sql<{ count: number }>(replica.id, "SELECT count(pad)::int AS count FROM t")
        .catch(() => []);
      return rows[0]?.count === 50_000;
    });
    expect((await world.replica()).state).toBe("streaming");
  });
});
