import { ask } from "../base/deadline.ts";
import { type Answer, clientOf } from "../client/client.ts";
import { fail, isCode } from "../errors/error.ts";
import { startDaemon, type StartedDaemon } from "../host/daemon.ts";
import type { Home } from "../host/home.ts";
import type { Terminal } from "./output/terminal.ts";
import { requireTools } from "./tools.ts";

export interface StartRequest {
  home: Home;
  terminal: Terminal;
  signal: AbortSignal;
  portable: boolean;
  foreground: boolean;
}

export interface Up {
  status: Answer<"status">;
  /** Undefined where perchd ran already. */
  started: StartedDaemon | undefined;
}

/** The API is asked first: a socket or a pid file proves nothing. */
export async function up(request: StartRequest): Promise<Up> {
  const { home, portable } = request;
  const running = await statusIfRunning(home);
  if (running !== undefined) return already(running, portable);
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
    request.terminal.progress.say("Another perch up is starting it");
    const other = await ask(() => statusIfRunning(home), { everyMs: 100, withinMs: otherMs, signal: request.signal });
    if (other === undefined) throw error;
    return already(other, portable);
  }
}

/** How long the winner of two at once may take to answer. */
const otherMs = 60_000;

export const statusIfRunning = (home: Home): Promise<Answer<"status"> | undefined> =>
  clientOf(home)
    .call("status", {})
    .catch((error: unknown) => {
      if (isCode(error, "daemon_not_running")) return undefined;
      throw error;
    });

function already(status: Answer<"status">, portable: boolean): Up {
  if (portable && status.network.mode !== "portable") throw fail("mode_fixed", { mode: status.network.mode });
  return { status, started: undefined };
}

async function chooseMode({ portable, terminal }: StartRequest): Promise<"portable" | "namespace"> {
  if (portable) return "portable";
  if (process.platform !== "linux") {
    terminal.note("There are no network namespaces on this system: starting in portable mode, with ports on localhost in place of a private network");
    return "portable";
  }
  await requireTools();
  return "namespace";
}

/** One line on what runs. Pure. */
export function upText({ status, started }: Up): string {
  const { network, daemon } = status;
  const where = network.mode === "portable" ? "portable mode: ports on localhost, no private network" : network.prefix;
  return `Perch is ${started === undefined ? "already running" : "up"} (perchd ${daemon.pid}, network ${network.name}, ${where})`;
}
