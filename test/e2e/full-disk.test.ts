import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Diagnosis } from "../../src/api/schemas.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { diskAt } from "../support/disk.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

/** PERCH_HOME on a disk of its own, which is too small for a cluster, and then is not. Mounting it takes root. */
describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "mount", "umount"))(
  "a disk that is full",
  () => {
    const root = tempHome();
    const world = worldIn(root);
    const disk = diskAt(root);

    beforeAll(async () => {
      disk.mount("size=24m");
      await world.ok("up");
    });

    afterAll(async () => {
      await world.ok("down");
      await disk.unmount();
    });

    it.each([
      ["the system's PostgreSQL", []],
      ["the PostgreSQL from npm, whose programs are copied first", ["--pg-version", "18"]],
    ])("fails a create with %s by its own code, and leaves nothing", async (_what, args) => {
      expect(await world.error("postgres", "create", "--name", "pg", ...args)).toMatchObject({
        code: "disk_full",
        exit: 1,
      });
      expect(await world.client.call("listApps", {})).toEqual([]);
      expect((await world.status()).clusters).toEqual([]);
      expect(world.directories()).toEqual([]);
    });

    it("is no hindrance any more once there is room", async () => {
      execFileSync("mount", ["-o", "remount,size=400m", root]);
      await world.create();
      expect((await world.leader()).state).toBe("started");
    });

    it("fails a clone by the same code, and the leader goes on", async () => {
      const used = Number(execFileSync("df", ["--output=used", "-k", root], { encoding: "utf8" }).split("\n")[1]);
      execFileSync("mount", ["-o", `remount,size=${used + 20_000}k`, root]);
      const { id } = await world.leader();
      expect(await world.error("machine", "clone", id)).toMatchObject({ code: "disk_full" });
      expect(world.directories()).toEqual([id]);
      expect(await world.sql(id, "SELECT slot_name FROM pg_replication_slots")).toEqual([]);
      expect((await world.leader()).state).toBe("started");
    });

    it("is told of by the doctor, before it is full", async () => {
      execFileSync("mount", ["-o", "remount,size=1500m", root]);
      await world.ok("apps", "create", "web");
      await world.ok("postgres", "attach", "pg", "--app", "web");
      const line = async () =>
        (await world.json<Diagnosis>("doctor", "-a", "web")).lines.find(({ check }) => check === "disk");
      expect(await line()).toMatchObject({ state: "ok" });
      const used = Number(execFileSync("df", ["--output=used", "-k", root], { encoding: "utf8" }).split("\n")[1]);
      execFileSync("mount", ["-o", `remount,size=${used + 4_000}k`, root]);
      expect(await line()).toMatchObject({ state: "warn", next: "perch postgres db list -a pg" });
      execFileSync("mount", ["-o", `remount,size=${used + 300}k`, root]);
      const full = await world.perch(["doctor", "-a", "web", "--json"]);
      expect(full.code).toBe(1);
      expect(
        (JSON.parse(full.stdout) as Diagnosis).lines.filter(({ state }) => state === "fail").map(({ check }) => check),
      ).toEqual(["disk"]);
      execFileSync("mount", ["-o", "remount,size=1500m", root]);
    });
  },
);
