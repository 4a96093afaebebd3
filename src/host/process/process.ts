import { stat } from "node:fs/promises";
import { ask } from "../../base/deadline.ts";
import type { ProcessIdentity } from "../../model/records.ts";
import { kernelText } from "../files/kernel-text.ts";
import { run } from "./command.ts";

/**
 * Identity of processes. A pid alone says nothing: it may belong to someone else by now. A process is the one we know
 * when its start time agrees, too; and a postmaster when its working directory is the data directory, compared by
 * device and inode, which holds across mount namespaces.
 */

/** The identity of a living process; undefined when there is none (or only a zombie). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform !== "linux") {
    const line = await run(["ps", "-o", "lstart=", "-p", String(pid)]).then(
      (result) => result.stdout.trim(),
      () => "",
    );
    return line === "" ? undefined : { pid, startTime: line };
  }
  const text = kernelText(`/proc/${pid}/stat`);
  // pid (comm) state ppid … ; comm may hold spaces and parentheses, so count from the last ")".
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const startTime = fields?.[19];
  return fields === undefined || startTime === undefined || fields[0] === "Z" || fields[0] === "X"
    ? undefined
    : { pid, startTime };
}

/** Whether a signal (SIGSTOP, Ctrl-Z) has stopped it. Where the system does not tell, false. */
export function isSuspended({ pid }: ProcessIdentity): Promise<boolean> {
  const text = kernelText(`/proc/${pid}/stat`) ?? "";
  return Promise.resolve(text.slice(text.lastIndexOf(")") + 2).startsWith("T"));
}

/** Whether the number is in use: by a living process, or by one that ended and that nobody has waited for. */
export function isTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startTime === identity.startTime;
}

/** Sends the signal only if the process is still the one we know. Gives whether it was sent. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false; // it ended a moment ago
  }
}

/** Waits for the end of a process that is not a child. Gives whether it ended in time. */
export async function awaitEnd(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  return (await ask(async () => ((await isAlive(identity)) ? undefined : true), { everyMs: 5, withinMs })) === true;
}

/** SIGTERM, then SIGKILL after `graceMs`. Gives true when it is gone. */
export async function endProcess(identity: ProcessIdentity, graceMs: number): Promise<boolean> {
  if (!(await signalProcess(identity, "SIGTERM"))) return true;
  if (await awaitEnd(identity, graceMs)) return true;
  await signalProcess(identity, "SIGKILL");
  return awaitEnd(identity, 5_000);
}

/**
 * What is done about a process of ours that does not answer: one that a signal stopped is let go on, any other is
 * ended, so that another can take its place. Gives what it was; "gone" where there is none.
 */
export async function rouse(identity: ProcessIdentity): Promise<"stopped" | "hung" | "gone"> {
  if (!(await isAlive(identity))) return "gone";
  const stopped = await isSuspended(identity);
  await signalProcess(identity, stopped ? "SIGCONT" : "SIGKILL");
  if (!stopped) await awaitEnd(identity, 5_000);
  return stopped ? "stopped" : "hung";
}

/**
 * Whether the process works in that directory and is its owner's: whoever else stands in it, a shell of root's say, is
 * not what that user calls his.
 */
export async function isOwnersIn(pid: number, directory: string): Promise<boolean> {
  if (!(await worksIn(pid, directory))) return false;
  if (process.platform !== "linux") return true;
  // What is not there is no directory of a process.
  const found = await stat(directory).catch(() => undefined);
  const status = kernelText(`/proc/${pid}/status`) ?? "";
  return found !== undefined && Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1) === found.uid;
}

/** Whether the process works in that directory. Where the system does not tell (macOS), true. */
export async function worksIn(pid: number, directory: string): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const [cwd, wanted] = await Promise.all([
    // The process may have ended.
    stat(`/proc/${pid}/cwd`).catch(() => undefined),
    // What is not there is no directory of a process.
    stat(directory).catch(() => undefined),
  ]);
  return cwd !== undefined && wanted !== undefined && cwd.dev === wanted.dev && cwd.ino === wanted.ino;
}
