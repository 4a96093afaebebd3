import { readdirSync, readlinkSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { kernelText } from "../../src/host/files/kernel-text.ts";
import { identify } from "../../src/host/process/process.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";

/**
 * Stops a program with that word among its arguments, by a signal, as soon as it runs; gives it, stopped. Looks without
 * a pause, for what lives shortly must be met while it lives.
 */
export async function catchProcess(program: string, word: string, withinMs = 60_000): Promise<ProcessIdentity> {
  const there = new Set(readdirSync("/proc"));
  const isIt = (pid: string): boolean => {
    try {
      return readlinkSync(`/proc/${pid}/exe`).endsWith(`/${program}`);
    } catch {
      return false; // it has ended, or is the kernel's
    }
  };
  for (const end = performance.now() + withinMs; performance.now() < end; await setImmediate()) {
    const pid = readdirSync("/proc").find(
      (name) =>
        !there.has(name) &&
        /^\d+$/.test(name) &&
        isIt(name) &&
        (kernelText(`/proc/${name}/cmdline`) ?? "").includes(word),
    );
    if (pid === undefined) continue;
    process.kill(Number(pid), "SIGSTOP");
    const caught = await identify(Number(pid));
    if (caught !== undefined) return caught;
  }
  throw new Error(`${program} does not run`);
}
