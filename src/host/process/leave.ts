import { readFile } from "node:fs/promises";
import { leaveSignal } from "./daemon.ts";
import { readText } from "../files/files.ts";
import type { Home } from "../system/home.ts";
import { awaitEnd, identify, isAlive, signalProcess } from "./process.ts";

const leaveMs = 5_000;

/**
 * Ends a perchd alone: what it looks after goes on, for the next one to adopt. Gives the argv it ran as, by which it
 * could be started again; undefined where the system does not tell, or where nobody was there.
 */
export async function leaveDaemon(pid: number): Promise<string[] | undefined> {
  const perchd = await identify(pid);
  if (perchd === undefined) return undefined;
  // The process may have ended.
  const program = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").slice(0, -1);
  await signalProcess(perchd, leaveSignal);
  if (!(await awaitEnd(perchd, leaveMs))) {
    await signalProcess(perchd, "SIGKILL");
    await awaitEnd(perchd, leaveMs);
  }
  return program.length > 1 ? program : undefined;
}

/** The same for the perchd of a home, if there is one, answering or not. */
export async function leaveHome(home: Home): Promise<void> {
  const text = (await readText(home.daemonFile)) ?? "";
  const { pid, startTime } = JSON.parse(text === "" ? "{}" : text) as { pid?: number; startTime?: string };
  if (pid !== undefined && startTime !== undefined && (await isAlive({ pid, startTime }))) await leaveDaemon(pid);
}
