import { afterAll } from "vitest";
import { endProcess, identify } from "../../src/host/process/process.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";

/** Processes that a test file started and that are ended, by pid and start time, when it ends. */
const started: ProcessIdentity[] = [];

export async function recordProcess(pid: number): Promise<ProcessIdentity> {
  const identity = await identify(pid);
  if (identity === undefined) throw new Error(`process ${pid} is not running`);
  started.push(identity);
  return identity;
}

afterAll(async () => {
  await Promise.all(started.splice(0).map((identity) => endProcess(identity, 2_000)));
});
