import { spawn } from "node:child_process";
import { describe, expect, it } from "vitest";
import { ask } from "../../../src/base/deadline.ts";
import { isAlive, isSuspended, rouse, signalProcess } from "../../../src/host/process/process.ts";
import { recordProcess } from "../../support/processes.ts";

const sleeper = async () => recordProcess(spawn("sleep", ["600"], { stdio: "ignore" }).pid ?? 0);

describe("a process of ours that does not answer", () => {
  it("is let go on where a signal stopped it", async () => {
    const process = await sleeper();
    await signalProcess(process, "SIGSTOP");
    expect(
      await ask(async () => ((await isSuspended(process)) ? true : undefined), { everyMs: 5, withinMs: 5_000 }),
    ).toBe(true);
    expect(await rouse(process)).toBe("stopped");
    expect(
      await ask(async () => ((await isSuspended(process)) ? undefined : true), { everyMs: 5, withinMs: 5_000 }),
    ).toBe(true);
    expect(await isAlive(process)).toBe(true);
  });

  it("is ended where it runs and is silent all the same", async () => {
    const process = await sleeper();
    expect(await rouse(process)).toBe("hung");
    expect(await isAlive(process)).toBe(false);
    expect(await rouse(process)).toBe("gone");
  });

  it("is not taken for another that has its number now", async () => {
    const process = await sleeper();
    expect(await rouse({ ...process, startTime: "1" })).toBe("gone");
    expect(await isAlive(process)).toBe(true);
  });
});
