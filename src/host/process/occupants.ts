import { readdirSync, readlinkSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { ProcessIdentity } from "../../model/records.ts";
import { kernelText } from "../files/kernel-text.ts";
import { awaitEnd, identify, signalProcess, worksIn } from "./process.ts";

/** Of the kernel's own processes, which run no program (PF_KTHREAD of the ninth field of `stat`). */
const ofKernel = 0x200000;

/**
 * The program that a process runs, by its file's name; undefined where it has ended, is the kernel's, or is not to be
 * asked by this user. Asked of every process of the host, so by the cheapest way there is: three hundred promises and
 * their errors, at each start of a server, made perchd larger by a half.
 */
function programOf(pid: string): string | undefined {
  const text = kernelText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const flags = Number(text.slice(text.lastIndexOf(")") + 2).split(" ", 7)[6]);
  if ((flags & ofKernel) !== 0) return undefined;
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ""));
  } catch {
    return undefined; // as it says above
  }
}

/** The processes of one program that work in a directory. Linux only: elsewhere none are found. */
export async function occupants(directory: string | Spot, program: string): Promise<ProcessIdentity[]> {
  if (process.platform !== "linux") return [];
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && programOf(name) === program)
    .map(Number);
  const found = await Promise.all(
    pids.map(async (pid) =>
      (await (typeof directory === "string" ? worksIn(pid, directory) : isAt(pid, directory)))
        ? identify(pid)
        : undefined,
    ),
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
