import { join } from "node:path";
import { readText } from "../host/files.ts";
import { identify, worksIn } from "../host/process.ts";
import type { ProcessIdentity } from "../model/records.ts";
import type { Layout } from "./directory.ts";

/** What postmaster.pid says. The file outlives a postmaster that was killed, so nothing in it is believed before the process was looked at. */
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

/** Lines: pid, data directory, start time, port, socket directory, listen address, shared memory, status. A half written file has no status yet. */
export function parsePidFile(text: string): PidFile | undefined {
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const status = lines[7]?.trim();
  return { pid, status: status === "ready" || status === "standby" || status === "stopping" ? status : "starting" };
}

export const pidFile = (at: Layout): string => join(at.data, "postmaster.pid");

/** The running postmaster of this data directory, whoever started it; undefined when there is none, whatever the pid file says. */
export async function find(at: Layout): Promise<Postmaster | undefined> {
  const file = parsePidFile((await readText(pidFile(at))) ?? "");
  if (file === undefined) return undefined;
  const process = await identify(file.pid);
  if (process === undefined || !(await worksIn(file.pid, at.data))) return undefined;
  return { process, status: file.status };
}
