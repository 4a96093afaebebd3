import { existsSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isCode } from "../../src/errors/error.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { identify } from "../../src/host/process/process.ts";
import { diskAt } from "../support/disk.ts";
import type { RunningProgram } from "../support/perch.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/** What perchd itself keeps, on a disk without a byte left. */
describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "mount", "umount"))(
  "perchd on a disk that somebody has filled",
  () => {
    const root = tempHome();
    const world = worldIn(root);
    const disk = diskAt(root);
    const pid = async () => (await world.status()).daemon.pid;
    let perchd = 0;
    let run: RunningProgram | undefined;
    const runs = async () => (await world.client.call("listMachines", {})).filter(({ kind }) => kind === "run").length;

    beforeAll(async () => {
      disk.mount("size=600m");
      await world.ok("up");
      await world.create("pg", "--initial-cluster-size", "2");
      await world.ok("apps", "create", "web");
      await world.ok("postgres", "attach", "pg", "--app", "web");
      perchd = await pid();
      run = await world.begin(["run", "-a", "web", "--", "sleep", "600"]);
      await eventually("the command runs", async () => (await runs()) === 1);
      disk.fill();
    });

    afterAll(async () => {
      disk.empty();
      await world.ok("down");
      await disk.unmount();
    });

    it("goes on with its own work, for which the store has room of its own", async () => {
      expect(await world.ok("run", "-a", "web", "--", "sh", "-c", "echo ${DATABASE_URL%%:*}")).toBe("postgres\n");
      await world.ok("secrets", "set", "-a", "web", "TOKEN=first");
      const { id } = await world.replica();
      await world.ok("machine", "stop", id);
      expect((await world.status()).warnings).toMatchObject([{ what: "disk", level: "fail", thing: root }]);
      expect(await world.ok("events")).toMatch(/warning: 0 B of 600 MB are free/);
    });

    it.each([
      [
        "attach",
        () => [
          "postgres",
          "attach",
          "pg",
          "--app",
          "web",
          "--variable-name",
          "OTHER_URL",
          "--database-name",
          "o",
          "--database-user",
          "o",
        ],
      ],
      [
        "attach to a database that is there",
        () => [
          "postgres",
          "attach",
          "pg",
          "--app",
          "web",
          "--variable-name",
          "MORE_URL",
          "--database-name",
          "web",
          "--database-user",
          "more",
          "--yes",
        ],
      ],
      ["clone", async () => ["machine", "clone", (await world.leader()).id]],
      ["db create", () => ["postgres", "db", "create", "more", "-a", "pg"]],
      ["create", () => ["postgres", "create", "--name", "second"]],
    ])("says within a moment that the disk is full: %s", async (_what, command) => {
      const from = performance.now();
      const ended = await world.perch([...(await command()), "--json"]);
      expect(ended.stderr).toMatch(/disk_full/);
      expect(performance.now() - from).toBeLessThan(45_000);
    });

    it("says disk_full when that is used up, and changes nothing", async () => {
      const value = "x".repeat(60_000);
      const used = await eventually("the store is full", () =>
        world.client
          .call("setSecrets", { params: { app: "web" }, body: { secrets: { TOKEN: value + String(Math.random()) } } })
          .then(
            () => undefined,
            (error: unknown) => error,
          ),
      );
      expect(isCode(used.answer, "disk_full")).toBe(true);
      // What is small may still find a place, until nothing does.
      let apps = 0;
      await eventually("no app can be created any more", () =>
        world.client.call("createApp", { body: { name: `app${apps++}` } }).then(
          () => undefined,
          () => true,
        ),
      );
      const before = await everything();
      for (const command of [
        ["apps", "create", "late"],
        ["secrets", "set", "-a", "web", `MORE=${value}`],
        ["postgres", "create", "--name", "second"],
        ["tokens", "create", "ci"],
      ])
        expect([command, await world.error(...command)]).toMatchObject([command, { code: "disk_full", exit: 1 }]);
      expect(await world.perch(["run", "-a", "web", "--", "true"])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("[disk_full]"),
      });
      expect(await everything()).toEqual(before);
      expect(await pid()).toBe(perchd);
    });

    /** All that a command could have changed. */
    async function everything(): Promise<unknown> {
      const leader = await world.leader();
      return [
        await world.client.call("listApps", {}),
        await world.client.call("listSecrets", { params: { app: "web" } }),
        await world.client.call("listMachines", {}),
        await world.client.call("listTokens", {}),
        await world.sql(leader.id, "SELECT rolname FROM pg_roles ORDER BY 1"),
        world.directories().toSorted(),
      ];
    }

    it("answers what only reads, and what its apps ask goes on", async () => {
      for (const command of [
        ["status"],
        ["apps", "list"],
        ["secrets", "list", "-a", "web"],
        ["events"],
        ["postgres", "db", "list", "-a", "pg"],
        ["dig", "pg.internal"],
      ])
        await world.ok(...command);
      expect(await world.sql((await world.leader()).id, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    });

    it("is adopted by the next one when it is killed, and comes down and up again", async () => {
      process.kill(perchd, "SIGKILL");
      run?.kill("SIGKILL"); // what ended meanwhile cannot be written down either
      await world.ok("up");
      const { id, pid: postmaster } = await world.leader();
      expect(await identify(postmaster ?? 0)).toMatchObject({ pid: postmaster });
      expect(await world.sql(id, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
      await world.ok("down");
      expect(await identify(postmaster ?? 0)).toBeUndefined();
      disk.fill();
      // Where PostgreSQL itself finds no room to recover in, up says so; perchd is there all the same.
      const { code, stderr } = await world.perch(["up"]);
      if (code !== 0)
        expect([code, stderr]).toEqual([
          1,
          expect.stringMatching(/cluster pg is not up: .*No space left on device[^]*\[cluster_not_up\]/),
        ]);
      // The run that ended meanwhile cannot be forgotten either, which is said beside it.
      expect((await world.status()).warnings).toContainEqual(expect.objectContaining({ what: "disk", level: "fail" }));
    });

    it("goes on by itself when there is room again, and has lost nothing", async () => {
      disk.empty();
      await eventually("the leader takes writes", async () => (await world.leader()).state === "started", 60_000);
      expect((await world.client.call("listSecrets", { params: { app: "web" } })).map(({ name }) => name)).toEqual([
        "DATABASE_URL",
        "TOKEN",
      ]);
      await world.ok("machine", "start", (await world.replica()).id);
      await world.ok("apps", "create", "late");
      expect(await world.ok("run", "-a", "web", "--", "sh", "-c", "echo $DATABASE_URL")).toMatch(/^postgres:\/\/web:/);
      await eventually("the run that was killed is forgotten", async () => (await runs()) === 0);
      await eventually(
        "it says again who runs",
        () => existsSync(world.home.daemonFile) && statSync(world.home.daemonFile).size > 0,
      );
      await eventually(
        "there is no warning any more",
        async () => !(await world.status()).warnings.some(({ what }) => what === "disk"),
      );
    });
  },
);
