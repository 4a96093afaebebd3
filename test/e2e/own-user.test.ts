import { execFileSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Diagnosis } from "../../src/api/schemas.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { distributionUserName, findUser, serverUserName, type SystemUser } from "../../src/host/system/users.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { asking, askingApp } from "../support/asking.ts";
import { perchIn, start, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { installAs } from "../support/versions.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * A home whose servers and poolers run as the distribution's `postgres`, as those of 0.1.0 do, under a Perch that has a
 * user of its own for them. One story: each test goes on where the one before it ended.
 */
describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))(
  "servers of an older Perch",
  () => {
    const world = worldIn();
    const { root, home, ok } = world;
    const older = installAs("0.0.9", {
      "host/system/users.ts": (text) => text.replace('"perch-postgres"', '"postgres"'),
    });
    const olderPerch = perchIn(root, {}, older.main);
    const { add, more, failures, end } = asking();
    const elsewhere = join(temporaryDirectory(), "elsewhere");
    let before: SystemUser;
    let now: SystemUser;
    const uidOf = (path: string) => lstatSync(path).uid;
    const dataOf = (id: string) => layout(home, id).data;
    const members = async () => (await world.cluster()).members;
    const runsAs = async (id: string) => {
      const pid = (await members()).find((member) => member.id === id)?.pid;
      // It may be restarting just now.
      return pid === undefined || pid === null ? undefined : statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
    };
    const streams = (id: string) =>
      eventually(
        `${id} streams`,
        async () => (await members()).find((member) => member.id === id)?.state === "streaming",
        30_000,
      );
    const restart = async (id: string) => {
      await ok("machine", "stop", id);
      await ok("machine", "start", id);
    };
    const poolerUids = async () =>
      (await processesOf(root))
        .filter(({ command }) => command.includes("pgbouncer"))
        .map(({ pid }) => statSync(`/proc/${pid}`).uid);
    const doctor = async () =>
      (await world.json<Diagnosis>("doctor", "-a", "web")).lines.filter(({ check }) => check === "server-user");
    /** Everything of the member that is not its user's, but for what the test laid there. */
    const strange = (id: string, uid: number) =>
      [layout(home, id).data, layout(home, id).tls, layout(home, id).log, layout(home, id).sockets]
        .flatMap((top) => [
          top,
          ...readdirSync(top, { recursive: true, encoding: "utf8" }).map((path) => join(top, path)),
        ])
        .filter((path) => !/laid-/.test(path) && existsSync(path) && uidOf(path) !== uid);

    beforeAll(async () => {
      succeeded(await olderPerch(["up"]));
      const distribution = await findUser(distributionUserName);
      if (distribution === undefined) throw new Error("this host has no user postgres");
      before = distribution;
      const made = [
        "postgres",
        "create",
        "--name",
        "pg",
        "--region",
        "ams",
        "--initial-cluster-size",
        "2",
        "--password",
        "operator-password",
      ];
      succeeded(await olderPerch(made));
      succeeded(await olderPerch(["apps", "create", "web"]));
      succeeded(await olderPerch(["postgres", "attach", "pg", "--app", "web"]));
      succeeded(await olderPerch(["postgres", "pool", "on", "-a", "pg"]));
      const pooled = [
        "--pooled",
        "--variable-name",
        "POOLED_URL",
        "--database-user",
        "pooled",
        "--database-name",
        "pooled",
      ];
      succeeded(await olderPerch(["postgres", "attach", "pg", "--app", "web", ...pooled]));
      // As 0.1.0 had it: the directory that the data lies in was that user's, too.
      for (const { id } of await members()) chownSync(layout(home, id).root, before.uid, before.gid);
      for (const url of ["DATABASE_URL", "POOLED_URL"])
        await add(await world.begin(["run", "-a", "web", "--", "sh", "-c", askingApp(url)]));
      await more(20);
    });

    afterAll(async () => {
      await end();
      await ok("down");
    });

    it("go on as they are when another perchd takes over, no query fails, and doctor says what moves when", async () => {
      const pids = (await members()).map(({ id, pid }) => `${id} ${pid}`);
      await ok("up");
      const user = await findUser(serverUserName);
      if (user === undefined) throw new Error(`there is no user ${serverUserName}`);
      now = user;
      expect(execFileSync("id", ["-G", serverUserName], { encoding: "utf8" })).toBe(`${now.gid}\n`);
      await more(20);
      expect(failures()).toEqual([]);
      expect((await members()).map(({ id, pid }) => `${id} ${pid}`)).toEqual(pids);
      for (const { id } of await members())
        expect([await runsAs(id), uidOf(dataOf(id))]).toEqual([before.uid, before.uid]);
      const lines = await doctor();
      expect(lines.map(({ state }) => state)).toEqual(["warn", "warn", "warn", "warn", "warn"]); // two members, three poolers
      for (const { id } of await members())
        expect(lines).toContainEqual(
          expect.objectContaining({
            sentence: expect.stringContaining(`machine ${id} runs as the user postgres still`) as string,
            next: "perch postgres restart -a pg",
          }),
        );
    });

    it("are copied by a member that runs as Perch's own user, and neither user's commands are let into a run", async () => {
      await ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
      const made = (await members()).find(({ region }) => region === "lhr");
      expect(made && [await runsAs(made.id), uidOf(dataOf(made.id)), made.state]).toEqual([
        now.uid,
        now.uid,
        "streaming",
      ]);
      for (const { name } of [before, now])
        expect((await world.perch(["run", "-a", "web", "--user", name, "--", "true"])).stderr).toContain(
          "run_user_refused",
        );
      expect(
        succeeded(await world.perch(["run", "-a", "web", "--", "cat", "/proc/self/uid_map"]))
          .split("\n")
          .filter((line) => line !== ""),
      ).toHaveLength(3);
      expect(failures()).toEqual([]);
    });

    it("stay as they are where a file of theirs has another name elsewhere, are well, and say it; then they move with all that is theirs and nothing else", async () => {
      const replica = (await members()).find(({ role, region }) => role === "replica" && region === "ams");
      if (replica === undefined) throw new Error("there is no replica");
      const { id } = replica;
      const data = dataOf(id);
      mkdirSync(elsewhere);
      for (const [path, uid] of [
        [join(elsewhere, "of-root"), 0],
        [join(data, "laid-of-third"), 54_321],
        [join(data, "laid-of-root"), 0],
      ] as const) {
        writeFileSync(path, "");
        chownSync(path, uid, uid);
      }
      linkSync(join(elsewhere, "of-root"), join(data, "laid-hard"));
      symlinkSync("/etc/passwd", join(data, "laid-passwd"));
      linkSync(join(data, "PG_VERSION"), join(elsewhere, "kept"));
      await restart(id);
      await streams(id);
      expect([await runsAs(id), strange(id, before.uid)]).toEqual([before.uid, []]);
      const said = `machine ${id} runs as the user postgres still: PG_VERSION has another name elsewhere (a hard link). To move it by hand: perch machine stop ${id} && chown -R perch-postgres: ${data}`;
      expect(await ok("events", "-n", "100")).toContain(said);
      expect((await doctor()).map(({ sentence }) => sentence)).toContainEqual(
        expect.stringContaining("PG_VERSION has another name elsewhere"),
      );

      rmSync(join(elsewhere, "kept"));
      await restart(id);
      await streams(id);
      expect([await runsAs(id), strange(id, now.uid)]).toEqual([now.uid, []]);
      expect(["laid-of-third", "laid-of-root", "laid-hard"].map((name) => uidOf(join(data, name)))).toEqual([
        54_321, 0, 0,
      ]);
      expect([uidOf("/etc/passwd"), uidOf(join(elsewhere, "of-root"))]).toEqual([0, 0]);
      expect(await ok("events", "-n", "100")).toContain(`machine ${id} runs as the user perch-postgres from now on`);
      expect(failures()).toEqual([]);
    });

    it("move one after the other by a restart of the cluster, and perchd killed in the middle of it is gone on with; who connects meanwhile waits", async () => {
      const { id } = await world.leader();
      const data = dataOf(id);
      mkdirSync(join(data, "base", "laid"));
      for (let file = 0; file < 20_000; file++) writeFileSync(join(data, "base", "laid", String(file)), "");
      execFileSync("chown", ["-R", `${before.uid}:${before.gid}`, join(data, "base", "laid")]);
      const perchd = await known((await world.status()).daemon.pid);
      const restarting = await start(
        [process.execPath, join(import.meta.dirname, "../../dist/cli/main.js"), "postgres", "restart", "-a", "pg"],
        {
          env: { PERCH_HOME: root },
        },
      );
      const first = readdirSync(join(data, "base", "laid"));
      await eventually(
        "a part of its files has moved",
        () => first.some((name) => uidOf(join(data, "base", "laid", name)) === now.uid),
        60_000,
      );
      await killHard([perchd]);
      await restarting.ended;
      const halfway = [uidOf(data), first.some((name) => uidOf(join(data, "base", "laid", name)) === before.uid)];
      await ok("up");
      await streams(id);
      expect(halfway).toEqual([before.uid, true]);
      expect([await runsAs(id), strange(id, now.uid)]).toEqual([now.uid, []]);
      expect(uidOf(join(data, "base", "laid", "1"))).toBe(now.uid);
      // The next perchd goes on with the members that are left.
      for (const member of await members())
        await eventually(`${member.id} has moved`, async () => (await runsAs(member.id)) === now.uid, 30_000);
      const failed = failures();
      await end();
      // A session ends with the leader that it led to, in session mode over 6432, too: the one that stays open, and a
      // new one that was open in that very moment.
      const cut = failed.filter((failure) => / fresh: .*(terminat|shutting down|ECONNRESET)/.test(failure));
      expect(failed.filter((failure) => !failure.includes(" long: ") && !cut.includes(failure))).toEqual([]);
      expect(cut.length).toBeLessThanOrEqual(2);
    });

    it("leave nothing of theirs behind: the poolers move when pool on is typed, and then perchd knows no other user", async () => {
      expect(new Set(await poolerUids())).toContain(before.uid);
      await ok("postgres", "pool", "on", "-a", "pg");
      await eventually("the poolers are back", async () => {
        const uids = await poolerUids();
        return uids.length === 4 && uids.every((uid) => uid === now.uid);
      });
      expect(await doctor()).toEqual([]);
      await killHard([await known((await world.status()).daemon.pid)]);
      await ok("up");
      expect(
        succeeded(await world.perch(["run", "-a", "web", "--", "cat", "/proc/self/uid_map"]))
          .split("\n")
          .filter((line) => line !== ""),
      ).toHaveLength(2);
      for (const { id } of await members())
        expect((statSync(layout(home, id).sockets).mode & 0o777).toString(8)).toBe("700");
      expect(await ok("run", "-a", "web", "--", "sh", "-c", 'psql "$POOLED_URL" -XAtc "SELECT 1"')).toBe("1\n");
    });
  },
);
