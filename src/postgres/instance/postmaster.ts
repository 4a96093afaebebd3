import { readBelow, unlessStrange } from "../../host/files/below.ts";
import { identify, isOwnersIn } from "../../host/process/process.ts";
import type { ProcessIdentity } from "../../model/records.ts";
import type { Layout } from "./directory.ts";

/**
 * What postmaster.pid says. The file outlives a postmaster that was killed, so nothing in it is believed before the
 * process was looked at.
 */
export interface PidFile {
  pid: number;
  status: PostmasterStatus;
}

/** "ready": connections are taken, a hot standby's too. "standby": a standby that takes none. */
export type PostmasterStatus = "starting" | "ready" | "standby" | "stopping";

export interface Postmaster {
  process: ProcessIdentity;
  status: PostmasterStatus;
}

/** A pid is a C int. */
const largestPid = 0x7fff_ffff;

/**
 * Lines: pid, data directory, start time, port, socket directory, listen address, shared memory, status. A half written
 * file has no status yet.
 */
export function parsePidFile(text: string): PidFile | undefined {
  const lines = text.split("\n");
  const pid = /^\d{1,10}$/.test(lines[0] ?? "") ? Number(lines[0]) : 0;
  if (pid <= 0 || pid > largestPid) return undefined;
  const status = lines[7]?.trim();
  return { pid, status: status === "ready" || status === "standby" || status === "stopping" ? status : "starting" };
}

/** In the data directory. */
export const pidFile = "postmaster.pid";

/** PostgreSQL writes eight lines. */
const pidFileBytes = 8_192;

/**
 * What a file of PostgreSQL's that locks says; undefined when there is none, or something else in its place:
 * `onStrange` hears of that.
 */
export async function readLock(
  directory: string,
  path: string,
  onStrange?: (error: Error) => void,
): Promise<PidFile | undefined> {
  const text = await readBelow(directory, path, { atMost: pidFileBytes }).catch((error: Error) => {
    unlessStrange(error);
    onStrange?.(error);
    return undefined;
  });
  return parsePidFile(text ?? "");
}

/**
 * The running postmaster of this data directory, whoever started it; undefined when there is none, whatever the pid
 * file says.
 */
export async function find(at: Layout, onStrange?: (error: Error) => void): Promise<Postmaster | undefined> {
  const file = await readLock(at.data, pidFile, onStrange);
  if (file === undefined) return undefined;
  const process = await identify(file.pid);
  if (process === undefined || !(await isOwnersIn(file.pid, at.data))) return undefined;
  return { process, status: file.status };
}
