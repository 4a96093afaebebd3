import { chmod, mkdir, readdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBinaries } from "../../src/postgres/instance/binaries.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { killHard, known } from "../support/traces.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * What stops a replica's replay, and what becomes of servers whose files are another's or gone. One story: each test
 * goes on where the one before it ended.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))(
  "a cluster whose replica does not replay, or whose program is gone",
  () => {
    const world = worldIn();
    const { ok } = world;
    const events = () => ok("events", "-a", "pg", "-n", "200");
    const streams = () =>
      eventually("the replica streams", async () => (await world.replica()).state === "streaming", 60_000);
    const killLeader = async () => killHard([await known((await world.leader()).pid)]);
    let bin = "";

    beforeAll(async () => {
      // A directory of its own with links to PostgreSQL's programs, which may be taken away.
      const { directory } = await findBinaries({ toolsDirectory: temporaryDirectory() });
      const root = temporaryDirectory();
      bin = join(root, "bin");
      await mkdir(bin);
      for (const name of await readdir(directory)) await symlink(join(directory, name), join(bin, name));
      for (const path of [root, bin]) await chmod(path, 0o755);
      await ok("up");
      await world.create("pg", "--initial-cluster-size", "2", "--pg-bin", bin);
      await streams();
    });
    afterAll(() => ok("down"));

    it("is restarted with as much as its leader has, when that came back from its death with more", async () => {
      await ok("postgres", "config", "update", "-a", "pg", "max_connections=350", "max_locks_per_transaction=80");
      await killLeader();
      const { id } = await world.replica();
      const has = async (member: string) =>
        (
          await world.sql<{ n: number }>(member, "SELECT current_setting('max_connections')::int AS n").catch(() => [])
        )[0]?.n;
      await eventually("the leader has more", async () => (await has((await world.leader()).id)) === 350, 30_000);
      await eventually("the replica has as much", async () => (await has(id)) === 350, 30_000);
      await streams();
      await world.sql((await world.leader()).id, "CREATE TABLE replayed ()");
      await eventually(
        "it replays",
        async () => (await world.sql(id, "SELECT FROM pg_class WHERE relname = 'replayed'")).length === 1,
      );
      expect(await events()).toMatch(
        /restart the replica \w+ in ams: its replay is paused, for max_connections is 350 on the leader and 300 here, max_locks_per_transaction is 80 on the leader and 64 here/,
      );
    }, 120_000);

    it("is shown as paused where somebody paused it, and is left so", async () => {
      const { id, pid } = await world.replica();
      await world.sql(id, "SELECT pg_wal_replay_pause()");
      await eventually("status says so", async () => (await world.replica()).state === "paused", 20_000);
      expect((await world.replica()).note).toMatch(/somebody called pg_wal_replay_pause\(\)/);
      expect(await ok("postgres", "status", "-a", "pg")).toContain("1 of 1 replicas not replaying");
      expect(await world.replica()).toMatchObject({ state: "paused", pid });
      await world.sql(id, "SELECT pg_wal_replay_resume()");
      await streams();
      await eventually("events say that it is over", async () =>
        /replica \w+ in ams: it receives WAL and does not replay it[^]*is well again/.test(await events()),
      );
    }, 60_000);

    it("tells of a program that says another version than the servers run", async () => {
      const postgres = join(bin, "postgres");
      await rename(postgres, `${postgres}.real`);
      await writeFile(
        postgres,
        `#!/bin/sh\n[ "$1" = --version ] && echo "postgres (PostgreSQL) 99.9" && exit 0\nexec "$0.real" "$@"\n`,
        {
          mode: 0o755,
        },
      );
      await eventually(
        "status names both",
        async () =>
          /it runs [\d.]+, and the files in .* are 99\.9: .*perch postgres restart -a pg/.test(
            (await world.leader()).note ?? "",
          ),
        20_000,
      );
      await rename(`${postgres}.real`, postgres);
      await eventually("it is over", async () => (await world.leader()).note === undefined, 20_000);
      expect(await events()).toMatch(/leader \w+ in ams: it runs [\d.]+, and the files in .* are 99\.9/);
    }, 60_000);

    it("loses no data when its program is gone and its leader dies, and goes on from another directory", async () => {
      const former = (await world.leader()).id;
      await world.sql(former, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
      await rename(bin, `${bin}-away`);
      await eventually(
        "status says what runs on",
        async () => /there is no postgres in .*perch postgres config binaries/.test((await world.leader()).note ?? ""),
        20_000,
      );
      const restart = await world.perch(["postgres", "restart", "-a", "pg"]);
      expect(restart).toMatchObject({ code: 1, stderr: expect.stringContaining("[postgres_binaries_gone]") as string });
      await killLeader();
      await eventually("another leads", async () => (await world.leader()).id !== former, 60_000);
      await eventually(
        "status says why it does not run",
        async () => /there is no postgres in/.test((await world.replica()).note ?? ""),
        30_000,
      );
      expect(await world.sql((await world.leader()).id, "SELECT count(*)::int AS n FROM kept")).toEqual([{ n: 1000 }]);
      expect(await events()).not.toMatch(/in ams: it (fell|cannot follow)|is copied|former data|crash loop|it died/);
      expect(await world.error("postgres", "config", "binaries", bin, "-a", "pg")).toMatchObject({
        code: "postgres_binaries_missing",
      });
      await ok("postgres", "config", "binaries", `${bin}-away`, "-a", "pg");
      await streams();
      expect(await world.sql(former, "SELECT count(*)::int AS n FROM kept")).toEqual([{ n: 1000 }]);
      await ok("postgres", "restart", "-a", "pg");
      await streams();
    }, 240_000);
  },
);
