import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { ProcessIdentity } from "../../model/records.ts";
import { awaitEnd, identify, signalProcess, worksIn } from "./process.ts";

/** The processes of one program that work in a directory. Linux only: elsewhere none are found. */
export async function occupants(directory: string | Spot, program: string): Promise<ProcessIdentity[]> {
  if (process.platform !== "linux") return [];
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      if (!(await (typeof directory === "string" ? worksIn(pid, directory) : isAt(pid, directory)))) return undefined;
      // The process may have ended.
      const running = await readlink(`/proc/${pid}/exe`).catch(() => "");
      return basename(running.replace(/ \(deleted\)$/, "")) === program ? identify(pid) : undefined;
    }),
  );
  return found.filter((one) => one !== undefined);
}

/** What those processes call themselves, for `ps`. */
export async function titles(directory: string, program: string): Promise<string[]> {
  const found = await Promise.all(
    // The process may have ended.
    (await occupants(directory, program)).map(({ pid }) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return found.map((title) => title.replaceAll("\0", " ").trim()).filter((title) => title !== "");
}

/** A directory that may have another name by now, or none. */
export interface Spot {
  dev: number;
  ino: number;
}

/** Where a process works; undefined where it has ended. */
export const spotOf = (pid: number): Promise<Spot | undefined> => stat(`/proc/${pid}/cwd`).catch(() => undefined);

async function isAt(pid: number, spot: Spot): Promise<boolean> {
  const found = await spotOf(pid);
  return found !== undefined && found.dev === spot.dev && found.ino === spot.ino;
}

/** Kills those that a parent which is gone has left behind in a directory, and waits until they are gone, too. */
export async function endOccupants(directory: string | Spot, program: string): Promise<void> {
  const left = await occupants(directory, program);
  await Promise.all(
    left.map(async (one) => {
      await signalProcess(one, "SIGKILL");
      await awaitEnd(one, 5_000);
    }),
  );
}
