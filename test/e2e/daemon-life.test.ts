import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAlive } from "../../src/host/process/process.ts";
import { recordProcess } from "../support/processes.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf, tracesOf } from "../support/traces.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/** From `perch up` to `perch down`, in the right order and in the wrong one. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("the life of perchd", () => {
  const world = worldIn();
  const { root, home, perch, ok, json } = world;

  beforeAll(async () => {
    await timed("up", ok("up"));
    await timed("create", world.create());
  });

  afterAll(async () => {
    await ok("down");
  });

  it("is told by perch status --json in the shape that scripts rely on", async () => {
    const status = await json<Record<string, unknown>>("status");
    const leader = await world.leader();
    expect(status).toMatchObject({
      network: {
        name: "default",
        mode: process.getuid?.() === 0 ? "root" : "user",
        prefix: expect.stringMatching(/^fdaa:/) as string,
      },
      daemon: {
        pid: expect.any(Number) as number,
        version: expect.any(String) as string,
        since: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      },
      clusters: [
        {
          name: "pg",
          members: [
            {
              id: leader.id,
              region: "ams",
              role: "leader",
              port: 5433,
              state: "started",
              pid: leader.pid,
              lagBytes: 0,
              address: leader.address,
            },
          ],
        },
      ],
    });
    expect(leader.address.startsWith((status["network"] as { prefix: string }).prefix.replace(/::.*$/, ""))).toBe(true);
    await known(leader.pid);
  });

  it("goes on when up is typed again, which says so", async () => {
    const { daemon } = await world.status();
    expect(await ok("up")).toMatch(new RegExp(`^Perch is already running \\(perchd ${daemon.pid},`));
    const { pid, since, version } = daemon;
    expect((await world.status()).daemon).toMatchObject({ pid, since, version });
  });

  it("survives perchd.json and socket of one that was killed, even when its pid is somebody else's now", async () => {
    const { daemon } = await world.status();
    await killHard([await known(daemon.pid)]);
    expect(existsSync(home.socket)).toBe(true);
    expect(await perch(["status"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("[daemon_not_running]") as string,
    });

    const stranger = await recordProcess(spawn("sleep", ["600"], { stdio: "ignore" }).pid ?? 0);
    const file = JSON.parse(readFileSync(home.daemonFile, "utf8")) as object;
    writeFileSync(home.daemonFile, JSON.stringify({ ...file, pid: stranger.pid }));
    expect(await ok("up")).toMatch(/^Perch is up/);
    expect((await world.status()).daemon.pid).not.toBe(stranger.pid);
    expect(await isAlive(stranger)).toBe(true);
  });

  it("ends with down, which leaves no process, no namespace and no runtime directory, and is quick to say so again", async () => {
    expect((await processesOf(root)).length).toBeGreaterThan(2);
    const leader = await world.leader();
    await world.sql(leader.id, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n");
    await timed("down", ok("down"));
    expect(await tracesOf(root)).toEqual([]);
    expect(await ok("down")).toMatch(/^Perch is not running/);
    expect(await perch(["status"])).toMatchObject({ code: 1 });
  });

  it("is brought back by up, with its data, addresses and names", async () => {
    await timed("up with a cluster", ok("up"));
    const leader = (
      await eventually("the leader answers", async () => (await world.leader()).state === "started" && world.leader())
    ).answer;
    expect(await world.sql(leader.id, "SELECT count(*)::int AS rows FROM kept")).toEqual([{ rows: 1000 }]);
    await eventually("its name is back", async () =>
      (await perch(["dig", "pg.internal"])).stdout.includes(leader.address),
    );
  });

  it("is stopped in order by down when perchd was killed before", async () => {
    await killHard([await known((await world.status()).daemon.pid)]);
    await ok("down");
    expect(await tracesOf(root)).toEqual([]);
  });
});

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("two at once, and one in the foreground", () => {
  it("of two ups at once one wins, the other says so, and both end well", async () => {
    const { root, perch, ok, status } = worldIn();
    const said = await Promise.all([perch(["up"]), perch(["up"])]);
    expect(said.map(({ code, stderr }) => ({ code, error: /Error.*/.exec(stderr)?.[0] }))).toEqual([
      { code: 0 },
      { code: 0 },
    ]);
    const { daemon } = await status();
    expect(said.filter(({ stdout }) => stdout.startsWith(`Perch is up (perchd ${daemon.pid},`))).toHaveLength(1);
    expect(
      said.filter(({ stdout }) => stdout.startsWith(`Perch is already running (perchd ${daemon.pid},`)),
    ).toHaveLength(1);
    expect((await processesOf(root)).filter(({ command }) => command.includes("daemon/main"))).toHaveLength(1);
    await ok("down");
    expect(await tracesOf(root)).toEqual([]);
  });

  it("up --foreground stays until Ctrl-C, which every process of the terminal gets, and stops everything", async () => {
    const { root, home } = worldIn();
    const main = new URL("../../dist/cli/main.js", import.meta.url).pathname;
    const child = spawn(process.execPath, [main, "up", "--foreground"], {
      env: { ...process.env, PERCH_HOME: root },
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const { pid } = await recordProcess(child.pid ?? 0);
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const said: string[] = [];
    child.stdout.on("data", (chunk: Buffer) => said.push(chunk.toString("utf8")));
    await eventually("it is up", () => said.join("").startsWith("Perch is up"));
    await eventually("it answers", () => existsSync(home.daemonFile));
    process.kill(-pid, "SIGINT");
    expect(await ended).toBe(0);
    expect(await tracesOf(root)).toEqual([]);
  });
});
