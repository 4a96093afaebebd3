import { rm } from "node:fs/promises";
import type { ProcessIdentity } from "../../model/records.ts";
import { readText, writeWhole } from "./files.ts";
import { identify, isAlive } from "../process/process.ts";

/**
 * Who a process of ours is, beside the socket that it answers at: one that answers no more cannot be asked for its pid.
 */
export async function noteProcess(path: string, pid: number): Promise<void> {
  const identity = await identify(pid);
  if (identity === undefined) await rm(path, { force: true });
  else await writeWhole(path, `${JSON.stringify(identity)}\n`);
}

/** Undefined where none was noted, or it is gone. */
export async function notedProcess(path: string): Promise<ProcessIdentity | undefined> {
  // Without the note the process is not known.
  const text = await readText(path).catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { pid, startTime } = JSON.parse(text) as Partial<ProcessIdentity>;
    if (pid === undefined || startTime === undefined) return undefined;
    return (await isAlive({ pid, startTime })) ? { pid, startTime } : undefined;
  } catch {
    return undefined; // a note cut short: as good as none
  }
}
