import { ask, within } from "../base/deadline.ts";
import { type Answer, clientOf } from "../client/client.ts";
import { fail, isCode, toPerchError } from "../errors/error.ts";
import { startDaemon, type StartedDaemon } from "../host/process/daemon.ts";
import { type Home, isRoot } from "../host/system/home.ts";
import { notedProcess } from "../host/files/identity-file.ts";
import { leaveDaemon } from "../host/process/leave.ts";
import { signalProcess } from "../host/process/process.ts";
import { unitOf } from "../host/system/systemd.ts";
import { portableWished, wishPortable } from "../host/system/portable-wish.ts";
import type { ProcessIdentity } from "../model/records.ts";
import { perchVersion } from "../host/system/version.ts";
import type { Terminal } from "./output/terminal.ts";
import { standingOf } from "./output/standing-text.ts";
import { requireTools } from "./tools.ts";

export interface StartRequest {
  home: Home;
  terminal: Terminal;
  signal: AbortSignal;
  /** Undefined: as the home was started the last time. */
  portable: boolean | undefined;
  foreground: boolean;
}

/** The same with the mode decided. */
type Start = StartRequest & { portable: boolean };

export interface Up {
  status: Answer<"status">;
  /** Undefined where perchd ran already. */
  started: StartedDaemon | undefined;
  /** The version that ran before, where another took its place. */
  replaced?: string;
}

/** Starts perchd, or finds the one that runs. The mode that was asked for is kept for the next time. */
export async function up(asked: StartRequest): Promise<Up> {
  const wished = await portableWished(asked.home);
  const result = await upInMode({ ...asked, portable: asked.portable ?? wished });
  if (wished && asked.portable === false && result.started === undefined && result.status.network.mode === "portable")
    asked.terminal.note("The private network is made at the next start: perch down, then perch up");
  if (asked.portable !== undefined) await wishPortable(asked.home, asked.portable);
  return result;
}

/** The API is asked first: a socket or a pid file proves nothing. */
async function upInMode(request: Start): Promise<Up> {
  const { home, portable } = request;
  const running = await statusIfRunning(home);
  if (running !== undefined)
    return running.daemon.version === perchVersion() ? already(running, portable) : replace(request, running);
  const mode = await chooseMode(request);
  try {
    const { terminal, signal, foreground } = request;
    const started = await startDaemon(home, {
      portable: mode === "portable",
      foreground,
      signal,
      onProgress: (sentence) => terminal.progress.say(sentence),
    });
    return { status: await clientOf(home).call("status", {}), started };
  } catch (error) {
    if (!isCode(error, "already_running")) throw error;
    // The perchd that was ready in this home once and still lives.
    const living = await notedProcess(home.daemonFile);
    request.terminal.progress.say(
      living === undefined ? "Another perch up is starting it" : `perchd ${living.pid} runs and does not answer`,
    );
    // It makes its socket again within seconds, or is hung.
    const withinMs = living === undefined ? otherMs : silentMs;
    const other = await ask(() => statusIfRunning(home), { everyMs: 100, withinMs, signal: request.signal });
    if (other !== undefined) return already(other, portable);
    if (living === undefined) throw error;
    return takeOver(request, living);
  }
}

/** perchd holds the home and does not answer: it ends alone, and another one adopts what it looked after. */
async function takeOver(request: Start, living: ProcessIdentity): Promise<Up> {
  const { home, terminal, signal, foreground, portable } = request;
  terminal.note(`perchd ${living.pid} does not answer: another one takes its place, and what it looked after goes on`);
  await signalProcess(living, "SIGCONT");
  await leaveDaemon(living.pid);
  const started = await startDaemon(home, {
    portable,
    foreground,
    signal,
    onProgress: (sentence) => terminal.progress.say(sentence),
  });
  return { status: await clientOf(home).call("status", {}), started };
}

/**
 * Another version runs: it ends alone, and this one adopts what it looked after. When this one does not start (the
 * state may be newer than it knows), the one before is started again, so that a version that is no good costs nothing.
 */
async function replace(
  { home, terminal, signal, foreground, portable: wanted }: Start,
  running: Answer<"status">,
): Promise<Up> {
  already(running, wanted);
  const { version, pid } = running.daemon;
  const unit = await unitOf(pid);
  if (unit !== undefined && unit !== (await unitOf("self")) && /^perch\b/.test(unit))
    throw fail("upgrade_by_systemd", {
      version,
      unit,
      command: `systemctl ${isRoot() ? "" : "--user "}restart ${unit}`,
    });
  const portable = running.network.mode === "portable";
  if (!portable) await requireTools();
  else
    terminal.note(
      "In portable mode perchd itself leads connections to PostgreSQL: those that are open end now, and can be opened again",
    );
  terminal.progress.say(`perchd ${version} hands over to ${perchVersion()}`);
  const onProgress = (sentence: string) => terminal.progress.say(sentence);
  const before = await leaveDaemon(pid);
  try {
    const started = await startDaemon(home, { portable, foreground, signal, onProgress });
    return { status: await clientOf(home).call("status", {}), started, replaced: version };
  } catch (error) {
    if (isCode(error, "already_running")) throw error; // two at once: the other one's is there
    const patient = new AbortController().signal;
    const back = startDaemon(home, { portable, foreground: false, signal: patient, onProgress }, before);
    await back.then(
      () => terminal.note(`perchd ${version} runs again`),
      (reason: unknown) =>
        terminal.note(`perchd ${version} does not start again either: ${toPerchError(reason).message}`),
    );
    throw error;
  }
}

/** How long the winner of two at once may take to answer. */
const otherMs = 60_000;
/** perchd looks after its socket every five seconds, and answers within milliseconds. */
const silentMs = 12_000;

/** Undefined where nobody answers: there is no perchd, or one that is hung. */
export async function statusIfRunning(home: Home): Promise<Answer<"status"> | undefined> {
  const asked = clientOf(home)
    .call("status", {})
    .catch((error: unknown) => {
      if (isCode(error, "daemon_not_running")) return undefined;
      throw error;
    });
  return within(silentMs, asked);
}

function already(status: Answer<"status">, portable: boolean): Up {
  if (portable && status.network.mode !== "portable") throw fail("mode_fixed", { mode: status.network.mode });
  return { status, started: undefined };
}

async function chooseMode({ portable, terminal }: Start): Promise<"portable" | "namespace"> {
  if (portable) return "portable";
  if (process.platform !== "linux") {
    terminal.note(
      "There are no network namespaces on this system: starting in portable mode, with ports on 127.0.0.1 in place of a private network",
    );
    return "portable";
  }
  await requireTools();
  return "namespace";
}

/**
 * Says what runs, and throws `cluster_not_up` where a cluster does not: the first, the others are noted. In the
 * foreground, and as a unit of systemd, it is noted alone: perchd and what is well must not end with it.
 */
export async function reportUp(result: Up, terminal: Terminal, at: { foreground: boolean }): Promise<void> {
  terminal.print(upText(result));
  const { errors, notes } = standingOf(result.status.clusters);
  for (const note of notes) terminal.note(note);
  const [first, ...others] =
    at.foreground || /^perch\b/.test((await unitOf("self")) ?? "") ? [undefined, ...errors] : errors;
  for (const error of others) if (error !== undefined) terminal.note(`${error.message}; ${error.next}`);
  if (first !== undefined) throw first;
}

/** One line on what runs. Pure. */
export function upText({ status, started, replaced }: Up): string {
  const { network, daemon } = status;
  const where = network.mode === "portable" ? "portable mode: ports on 127.0.0.1, no private network" : network.prefix;
  const { down } = standingOf(status.clusters);
  const without = down.length === 0 ? "" : `, without ${down.length === 1 ? "cluster" : "clusters"} ${down.join(", ")}`;
  const what =
    started === undefined
      ? "already running"
      : replaced === undefined
        ? "up"
        : `up, ${status.daemon.version} in place of ${replaced}`;
  return `Perch is ${what}${without} (perchd ${daemon.pid}, network ${network.name}, ${where})`;
}
