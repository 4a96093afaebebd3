import { readdir, readlink } from "node:fs/promises";
import { basename } from "node:path";
import type { ProcessIdentity } from "../model/records.ts";
import { awaitEnd, identify, signalProcess, worksIn } from "./process.ts";

/** The processes of one program that work in a directory. Linux only: elsewhere none are found. */
async function occupants(directory: string, program: string): Promise<ProcessIdentity[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      if (!(await worksIn(pid, directory))) return undefined;
      const running = await readlink(`/proc/${pid}/exe`).catch(() => "");
      return basename(running.replace(/ \(deleted\)$/, "")) === program ? identify(pid) : undefined;
    }),
  );
  return found.filter((one) => one !== undefined);
}

/** Kills those that a parent which is gone has left behind in a directory, and waits until they are gone, too. */
export async function endOccupants(directory: string, program: string): Promise<void> {
  const left = await occupants(directory, program);
  await Promise.all(
    left.map(async (one) => {
      await signalProcess(one, "SIGKILL");
      await awaitEnd(one, 5_000);
    }),
  );
}
