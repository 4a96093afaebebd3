import { execFileSync } from "node:child_process";
import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Diagnosis, Warning } from "../../src/api/schemas.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { diskAt } from "../support/disk.ts";
import { mayMakeMemoryGroups, type MemoryGroup, memoryGroup } from "../support/memory-group.ts";
import { runToEnd, succeeded } from "../support/perch.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/** Each thing that runs out brought about for real, on a disk of its own. Mounting it takes root. */
describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "mount", "umount", "prlimit", "psql"))(
  "perch status warns",
  () => {
    const root = tempHome();
    const world = worldIn(root);
    const disk = diskAt(root);
    const remount = (...options: string[]) => execFileSync("mount", ["-o", `remount,${options.join(",")}`, root]);
    const roomy = () => remount("size=1500m", "nr_inodes=20000");
    const df = (column: "used" | "iused") =>
      Number(execFileSync("df", [`--output=${column}`, "-k", root], { encoding: "utf8" }).split("\n")[1]);

    beforeAll(async () => {
      disk.mount("size=1500m,nr_inodes=20000");
      await world.ok("up");
      await world.create("pg", "--initial-cluster-size", "2");
      await world.ok("postgres", "config", "update", "-a", "pg", "max_connections=20", "--restart");
    });

    afterEach(roomy);

    afterAll(async () => {
      await world.ok("down");
      await disk.unmount();
    });

    /** What the machine as a whole has of memory is not this test's. */
    const warnings = async (): Promise<Warning[]> =>
      (await world.status()).warnings.filter(({ what }) => !what.endsWith("memory"));
    const only = (what: Warning["what"]) =>
      eventually(`a warning of ${what}, and no other`, async () => {
        const found = await warnings();
        return found.length === 1 && found[0]?.what === what ? found[0] : undefined;
      });
    const none = () => eventually("no warning any more", async () => (await warnings()).length === 0);
    const events = async (what: RegExp) =>
      (await world.json<{ sentence: string }[]>("events")).filter(({ sentence }) => what.test(sentence));
    const mend = async ({ next }: Warning) => {
      const shell = ["sh", "-c", next.replaceAll("perch ", '"$NODE" dist/cli/main.js ')];
      succeeded(await runToEnd(shell, { env: { PERCH_HOME: root, NODE: process.execPath } }));
    };

    it("of nothing while there is plenty of all", async () => {
      await none();
      expect(await world.ok("status")).not.toContain("Warnings");
    });

    it("of a disk, of it once among the events, and of it no more when there is room again", async () => {
      remount(`size=${df("used") + 8_000}k`);
      const { answer } = await only("disk");
      expect(answer).toMatchObject({ level: "warn", subject: "network", thing: root });
      const said = await world.perch(["status"]);
      expect([said.code, said.stdout]).toEqual([
        0,
        expect.stringMatching(
          /\nWarnings\n {2}\S+ MB of \S+ MB are free under .*\n {4}→ perch postgres db list -a pg\n$/,
        ),
      ]);
      roomy();
      await none();
      await eventually(
        "its end is among the events",
        async () => (await events(/^no warning any more: .* are free under/)).length === 1,
        30_000,
      );
      expect(await events(/^warning: .* are free under/)).toHaveLength(1);
    });

    it("of the files that a disk can still hold, as the doctor does", async () => {
      remount(`nr_inodes=${df("iused") + 40}`);
      const { answer } = await only("inodes");
      expect(answer.sentence).toMatch(/^\d+ of \d+ files can still be made under /);
      const doctor = await world.perch(["doctor", "--json"]);
      const { lines } = JSON.parse(doctor.stdout) as Pick<Diagnosis, "lines">;
      expect(lines.find(({ check }) => check === "inodes")).toMatchObject({
        state: answer.level,
        sentence: answer.sentence,
        next: answer.next,
      });
      roomy();
      await none();
    });

    it("of connections, and says whose they are", async () => {
      const { id } = await world.leader();
      const open: pg.Client[] = [];
      const used = async () =>
        (
          await world.sql<{ n: number }>(
            id,
            "SELECT count(*)::int AS n FROM pg_stat_activity WHERE backend_type = 'client backend'",
          )
        )[0]?.n ?? 0;
      while ((await used()) < 15) open.push(await world.connect(id));
      const { answer } = await only("connections");
      expect(answer).toMatchObject({
        subject: "pg",
        thing: id,
        level: "warn",
        limit: 17,
        next: "perch postgres config update -a pg --max-connections 100 --restart",
      });
      expect(answer.sentence).toMatch(/^1\d of 17 connections of pg are used \(\d+ %\), 1\d of them by postgres$/);
      await Promise.all(open.map((session) => session.end()));
      await none();
    });

    it("of a slot that nobody reads, and names what drops it", async () => {
      const { id } = await world.leader();
      await world.sql(id, "SELECT pg_create_physical_replication_slot('mine', true)");
      for (let segment = 0; segment < 6; segment++)
        await world.sql(id, "SELECT pg_logical_emit_message(true, 'perch', 'x'), pg_switch_wal()");
      const { answer } = await only("idle-slot");
      expect(answer).toMatchObject({ subject: "pg", thing: "mine", limit: 512 * 1024 ** 2 });
      await mend(answer);
      await none();
    });

    it("of the slot of a replica that is stopped, and names what starts it", async () => {
      const [leader, replica] = [await world.leader(), await world.replica()];
      await world.ok("machine", "stop", replica.id);
      for (let segment = 0; segment < 6; segment++)
        await world.sql(leader.id, "SELECT pg_logical_emit_message(true, 'perch', 'x'), pg_switch_wal()");
      const { answer } = await only("idle-slot");
      expect(answer.next).toBe(`perch machine start ${replica.id}`);
      await mend(answer);
      await none();
    });

    it("of files that perchd has open, and says how much memory and time it takes", async () => {
      const { daemon } = await world.status();
      expect(daemon.memoryBytes).toBeGreaterThan(30 * 1024 ** 2);
      expect(daemon.loopDelay.max).toBeGreaterThanOrEqual(daemon.loopDelay.p99);
      const [, before = ""] =
        /(\d+)\s+\d+$/.exec(
          execFileSync("prlimit", ["--pid", String(daemon.pid), "--nofile", "--noheadings", "--output=SOFT,HARD"], {
            encoding: "utf8",
          }).trim(),
        ) ?? [];
      const limit = (soft: string) => execFileSync("prlimit", ["--pid", String(daemon.pid), `--nofile=${soft}:`]);
      const open = Number(
        /^\d+/.exec(execFileSync("sh", ["-c", `ls /proc/${daemon.pid}/fd | wc -l`], { encoding: "utf8" }).trim())?.[0],
      );
      limit(String(open + 10));
      try {
        expect((await only("descriptors")).answer.sentence).toMatch(/^\d+ of \d+ files are open \(\d+ %\) in perchd$/);
      } finally {
        limit(before);
      }
      await none();
    });
  },
);

const limit = 300 * 1024 ** 2;

describe.skipIf(!mayMakeMemoryGroups() || missingTools("ip", "nft", "unshare", "nsenter"))(
  "perch status, in a control group with a limit of memory",
  () => {
    const world = worldIn();
    let group: MemoryGroup | undefined;
    let out: (() => void) | undefined;

    beforeAll(async () => {
      await world.ok("up");
      group = memoryGroup(limit);
      out = group?.adopt((await world.status()).daemon.pid);
    });

    afterAll(async () => {
      out?.();
      await world.ok("down");
      await group?.remove();
    });

    const memory = async () => (await world.status()).warnings.find(({ what }) => what === "memory");

    it("warns before the group has none left, and not any more when there is some", async () => {
      expect(await memory()).toBeUndefined();
      const taker = await group?.take(limit - 25 * 1024 ** 2);
      try {
        const { answer } = await eventually("a warning of memory", memory);
        expect(answer).toMatchObject({ level: "warn", subject: "network", limit });
        expect(answer.sentence).toMatch(/^\S+ MB of 300 MB of memory are left in its control group$/);
      } finally {
        taker?.kill("SIGKILL");
        await taker?.ended;
      }
      await eventually("no warning of memory", async () => (await memory()) === undefined);
    });
  },
);
