import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAlive, signalProcess } from "../../src/host/process/process.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { eventually, worldIn } from "../support/world.ts";

/** A tick is five seconds, and an answer is waited for during three. */
const noticedWithinMs = 30_000;

/** Each process of ours is asked for an answer; one that gives none is seen, said, and let go on or replaced. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("a name server that lives and does not answer", () => {
  const world = worldIn();
  const { ok, root } = world;
  const servers = async () => (await processesOf(root)).filter(({ command }) => command.includes("dns/main"));
  const server = async () => {
    const [found] = await servers();
    return known(found?.pid);
  };
  const answers = () =>
    world.client.call("dig", { body: { name: "_apps.internal", type: "TXT" } }).then(
      () => true,
      () => false,
    );

  beforeAll(async () => {
    await ok("up");
  });
  afterAll(async () => {
    await ok("down");
  });

  it("goes on when a signal has stopped it; status and events say so", async () => {
    const stopped = await server();
    await signalProcess(stopped, "SIGSTOP");
    expect((await world.status()).warnings.filter(({ what }) => what === "process").map(({ thing }) => thing)).toEqual([
      "the name server",
    ]);
    await eventually("names are answered", answers, noticedWithinMs);
    expect((await server()).pid).toBe(stopped.pid);
    await eventually(
      "it is told",
      async () => (await ok("events", "-n", "20")).includes("was stopped by a signal and did not answer"),
      noticedWithinMs,
    );
    expect((await world.status()).warnings.filter(({ what }) => what === "process")).toEqual([]);
  });

  it("goes on when it was stopped while perchd was not there", async () => {
    const stopped = await server();
    await signalProcess(stopped, "SIGSTOP");
    await killHard([await known((await world.status()).daemon.pid)]);
    await ok("up");
    await eventually("names are answered", answers, noticedWithinMs);
    expect((await servers()).map(({ pid }) => pid)).toEqual([stopped.pid]);
  });

  it("is replaced where nobody can speak to it any more: another has its addresses", async () => {
    const lost = await server();
    await killHard([await known((await world.status()).daemon.pid)]);
    // A file where its socket was: it lives, answers names, and cannot be told of any.
    await writeFile(join(world.home.runtime, "elsewhere"), "");
    await rename(join(world.home.runtime, "elsewhere"), join(world.home.runtime, "dns.sock"));
    await ok("up");
    await eventually("names are answered", answers, noticedWithinMs);
    expect((await servers()).filter(({ pid }) => pid !== lost.pid)).toHaveLength(1);
    expect(await isAlive(lost)).toBe(false);
  });
});
