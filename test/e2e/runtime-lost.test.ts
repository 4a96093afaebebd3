import { existsSync, readFileSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProcessIdentity } from "../../src/model/records.ts";
import { isAlive, signalProcess } from "../../src/host/process/process.ts";
import { missingTools } from "../support/tools.ts";
import { known, tracesOf } from "../support/traces.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/** perchd looks every five seconds; the machine may be busy. */
const againWithinMs = 25_000;

/**
 * Somebody tidies /run: perchd makes again what was its own there, and `up` and `down` get out of it whatever is left.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("the runtime directory, taken away", () => {
  const world = worldIn();
  const { ok, home, root } = world;
  const perchd = async (): Promise<ProcessIdentity> =>
    known((JSON.parse(readFileSync(home.daemonFile, "utf8")) as { pid: number }).pid);
  const answers = async () => (await world.perch(["status"])).code === 0;

  beforeAll(async () => {
    await ok("up");
    await world.create();
  });
  afterAll(async () => {
    await ok("down");
  });

  it("is made again as a whole, with perchd's socket, while perchd and the servers go on", async () => {
    const before = await perchd();
    const { pid } = await world.leader();
    rmSync(home.runtime, { recursive: true });
    await eventually("perchd answers", answers, againWithinMs);
    expect([(await perchd()).pid, (await world.leader()).pid]).toEqual([before.pid, pid]);
    expect(await ok("up")).toMatch(/^Perch is already running/);
    expect(await ok("events", "-n", "20")).toContain("was gone: it is made again");
    // PostgreSQL's own socket went with it: that is said, with the way to get it back.
    await eventually(
      "it is said",
      async () => /its unix socket was removed/.test((await world.leader()).note ?? ""),
      againWithinMs,
    );
    expect(await ok("events", "-n", "20")).toMatch(/leader \S+ in ams: its unix socket was removed/);
    await ok("postgres", "restart", "-a", "pg");
    expect((await world.leader()).pid).not.toBe(pid);
    expect((await world.leader()).note).toBeUndefined();
    expect(await ok("postgres", "db", "list", "-a", "pg")).toContain("postgres");
    await eventually(
      "names are answered",
      async () => (await world.perch(["dig", "pg.internal"])).code === 0,
      againWithinMs,
    );
  });

  it("is made again in part where only perchd's socket is gone", async () => {
    const before = await perchd();
    rmSync(home.socket);
    // Typed at once: it waits for perchd, and starts no other.
    expect(await ok("up")).toMatch(/^Perch is already running/);
    expect((await perchd()).pid).toBe(before.pid);
  });

  it("is no reason for down to hang: all ends, and nothing is left", async () => {
    rmSync(home.runtime, { recursive: true });
    const { ms } = await timed("down without a runtime directory", ok("down"));
    expect(ms).toBeLessThan(90_000);
    expect(await tracesOf(root)).toEqual([]);
    await ok("up");
    await eventually("the leader is back", async () => (await world.leader()).state === "started", 60_000);
  });

  it("up replaces a perchd that is hung: what it looked after goes on", async () => {
    const before = await perchd();
    const { pid } = await world.leader();
    await signalProcess(before, "SIGSTOP");
    rmSync(home.socket);
    expect(await ok("up")).toMatch(/^Perch is up/);
    expect(await isAlive(before)).toBe(false);
    expect((await world.leader()).pid).toBe(pid);
    expect(existsSync(home.socket)).toBe(true);
  });
});
