/**
 * How to run one PostgreSQL server. This room knows binaries, data directories, processes and SQL; it does not know
 * which servers there should be, who leads, or what the network looks like: a `Place` says how programs are started in
 * it, and the caller names addresses, ports and passwords. Start here, with start, stop and reload; a server's life
 * begins in `initdb.ts` or `base-backup.ts`, and `configure.ts` writes its files.
 */
import type { FileHandle } from "node:fs/promises";
import { ask, pause } from "../../base/deadline.ts";
import { redact } from "../../base/redact.ts";
import { fail } from "../../errors/error.ts";
import { startDetached } from "../../host/process/command.ts";
import { createBelow, readBelow, removeBelow, unlessStrange } from "../../host/files/below.ts";
import { endOccupants, occupants, spotOf } from "../../host/process/occupants.ts";
import { awaitEnd, isAlive, isSuspended, isTaken, signalProcess } from "../../host/process/process.ts";
import { lastWordsAt } from "../../host/system/machine.ts";
import type { ProcessIdentity } from "../../model/records.ts";
import { command, type Member } from "./directory.ts";
import { lastLogLines } from "./logs.ts";
import { find, pidFile, readLock } from "./postmaster.ts";
import { isAboutTheLog, startLogFile } from "./start-log.ts";

/**
 * Starts the server, unless it runs already, and waits until it takes connections. Rejects with
 * `postgres_start_failed`: when it ended, with its last words; when it is not ready within the time (a long recovery,
 * or a replica that finds no leader), it is left to go on, and `find` says how it does. `cancelled` (by the signal)
 * leaves it, too: `stop` ends it.
 */
export async function start(
  member: Member,
  at: { withinMs?: number; signal?: AbortSignal } = {},
): Promise<ProcessIdentity> {
  try {
    return await startAndWait(member, at);
  } catch (error) {
    throw at.signal?.aborted === true ? fail("cancelled", { what: `starting machine ${member.id}` }, error) : error;
  }
}

async function startAndWait(member: Member, at: { withinMs?: number; signal?: AbortSignal }): Promise<ProcessIdentity> {
  const end = performance.now() + (at.withinMs ?? 60_000);
  for (;;) {
    await clearAway(member);
    const since = Date.now();
    const launched = (await find(member.layout)) === undefined ? await launch(member) : undefined;
    let ended = false;
    void launched?.ended.then(() => (ended = true));
    const ready = await ask(
      async () => {
        // asked for before the file is read, so that a server that left a moment ago is not taken for ready
        const gone = ended;
        const running = await find(member.layout);
        if (running?.status === "ready" || running?.status === "standby") return running.process;
        return gone || (running === undefined && launched === undefined) ? false : undefined;
      },
      {
        everyMs: 10,
        withinMs: Math.max(0, end - performance.now()),
        ...(at.signal === undefined ? {} : { signal: at.signal }),
      },
    );
    if (typeof ready === "object") return ready;
    const words = await lastWords(member, since);
    // By a server that was killed, until its last process has noticed; or by one that someone else started a moment
    // ago, which is found next time.
    const held = /still in use|lock file "postmaster\.pid" already exists/.test(words);
    const another = ready === false && (await find(member.layout)) !== undefined;
    if (ready === false && (held || another) && performance.now() < end) {
      await pause(50, at.signal);
      continue;
    }
    const why = ready === false ? words : `it is not ready yet; ${words}`;
    throw fail("postgres_start_failed", { machine: member.id, app: member.app, why });
  }
}

/**
 * "fast" ends sessions and writes a checkpoint; "immediate" is a crash on purpose. Gives how it ended: after `withinMs`
 * the next harder way is taken.
 */
export async function stop(
  member: Member,
  mode: "fast" | "immediate",
  withinMs = 30_000,
): Promise<"fast" | "immediate" | "killed" | "not running"> {
  const running = await find(member.layout);
  if (running === undefined) return "not running";
  // One that a signal stopped would not hear of it.
  if (await isSuspended(running.process)) await resume(member);
  if (mode === "fast") {
    await signalProcess(running.process, "SIGINT");
    if (await awaitEnd(running.process, withinMs)) return "fast";
  }
  // PostgreSQL itself kills what has not gone 5 s after SIGQUIT.
  await signalProcess(running.process, "SIGQUIT");
  if (await awaitEnd(running.process, 10_000)) return "immediate";
  await signalProcess(running.process, "SIGKILL");
  await awaitEnd(running.process, 5_000);
  await endOccupants(member.layout.data, "postgres");
  return "killed";
}

/**
 * Ends every process of a server, whatever became of its files: the recorded postmaster is ended though its data
 * directory is gone or has another name. What a signal stopped is killed all the same.
 */
export async function endWholly(member: Member, recorded: ProcessIdentity | undefined): Promise<void> {
  const postmaster = (await find(member.layout))?.process ?? recorded;
  if (postmaster !== undefined && (await isAlive(postmaster))) {
    const spot = await spotOf(postmaster.pid);
    await signalProcess(postmaster, "SIGCONT");
    await signalProcess(postmaster, "SIGQUIT");
    if (!(await awaitEnd(postmaster, 3_000))) {
      await signalProcess(postmaster, "SIGKILL");
      if (!(await awaitEnd(postmaster, 5_000)))
        throw fail("busy", { what: `machine ${member.id}`, by: "a process that cannot be killed" });
    }
    if (spot !== undefined) await endOccupants(spot, "postgres");
  }
  await endOccupants(member.layout.data, "postgres");
}

/** Lets every process of a server go on that a signal stopped. */
export async function resume(member: Member): Promise<void> {
  for (const one of await occupants(member.layout.data, "postgres")) await signalProcess(one, "SIGCONT");
}

/** Has the server read its configuration and pg_hba.conf again. Gives whether there was one to tell. */
export async function reload(member: Member): Promise<boolean> {
  const running = await find(member.layout);
  return running !== undefined && signalProcess(running.process, "SIGHUP");
}

/**
 * What a killed postmaster leaves: backends that have not noticed, which hold its memory and would keep the next one
 * from starting; and lock files whose numbers may be someone else's by now, or still its own, when whoever inherited it
 * (the first process of a container, say) is slow to wait for it. PostgreSQL would take either for a running server.
 */
async function clearAway(member: Member): Promise<void> {
  const { layout } = member;
  if ((await find(layout)) !== undefined) return;
  await endOccupants(layout.data, "postgres");
  const strangers = async (directory: string, name: string): Promise<boolean> => {
    let strange = false;
    const locked = await readLock(directory, name, () => (strange = true));
    return strange || (locked !== undefined && isTaken(locked.pid) && (await find(layout)) === undefined);
  };
  for (const [directory, name] of [
    [layout.data, pidFile] as const,
    [layout.sockets, `.s.PGSQL.${member.port}.lock`] as const,
  ])
    if (await strangers(directory, name)) await removeBelow(directory, name);
}

async function launch(member: Member): Promise<Awaited<ReturnType<typeof startDetached>>> {
  let output: FileHandle | undefined;
  try {
    output = await createBelow(member.layout.log, startLogFile);
    const argv = command(member, "postgres", ["-D", member.place.seen(member.layout.data)]);
    return await startDetached(argv, { cwd: "/", outputFd: output.fd });
  } catch (error) {
    throw fail(
      "postgres_start_failed",
      { machine: member.id, app: member.app, why: error instanceof Error ? error.message : String(error) },
      error,
    );
  } finally {
    await output?.close();
  }
}

/** Why it did not start, in its own words: those on its output, before it has a log, and those in the log since. */
async function lastWords(member: Member, since: number): Promise<string> {
  const spoken = async (): Promise<{ words: string[]; telling: boolean }> => {
    const logged = ((await lastLogLines(member.layout.log, 20).catch(unlessStrange)) ?? []).filter(
      (line) => Date.parse(line.at) >= since,
    );
    const severe = logged.filter(
      (line) => ["FATAL", "PANIC", "ERROR", "WARNING"].includes(line.level) || line.message.startsWith("could not"),
    );
    const output = (
      (await readBelow(member.layout.log, startLogFile, { atMost: 65_536, last: true }).catch(unlessStrange)) ?? ""
    )
      .split("\n")
      .filter((line) => line.trim() !== "" && !isAboutTheLog(line));
    const heard = severe.length > 0 ? severe : logged;
    return {
      words: [...output.slice(-4), ...heard.slice(-4).map((line) => line.message)],
      telling: output.length > 0 || severe.length > 0,
    };
  };
  // The process that writes the log is the last to go.
  await ask(async () => ((await spoken()).telling ? true : undefined), { everyMs: 10, withinMs: 300 });
  return lastWordsAt(member.layout.root, redact((await spoken()).words.join("; ")));
}
