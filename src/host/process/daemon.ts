import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { redact } from "../../base/redact.ts";
import { type ErrorBody, fail, PerchError } from "../../errors/error.ts";
import { withoutCores } from "../system/cores.ts";
import { daemonEnvironment } from "./daemon-environment.ts";
import { makeDirectory } from "../files/files.ts";
import type { Home } from "../system/home.ts";
import { ourProgram } from "./program.ts";

/**
 * Starting perchd: a process in a session of its own that reports over its stdout, one JSON value a line, until it is
 * ready or has failed, and then lets go of that stdout. What it says on stderr goes to its log.
 */
export interface StartOptions {
  portable: boolean;
  /** It stays in this session and ends with the terminal. */
  foreground: boolean;
  onProgress(sentence: string): void;
  signal: AbortSignal;
}

export interface StartedDaemon {
  pid: number;
  signal(signal: NodeJS.Signals): void;
  /** Its exit code, or 128 + the signal; for a perchd in the foreground. */
  ended: Promise<number>;
}

/**
 * Ends perchd and nothing it looks after. One that does not know it is ended by it all the same, without a word, which
 * costs no more.
 */
export const leaveSignal = "SIGUSR2";

/**
 * A small nursery for a process that mostly waits: with Node's own of 16 MB it holds 15 MB more than it needs (`npm run
 * bench -- rest`). One thread beside the main one to collect garbage, in place of four that wake each other.
 */
const daemonFlags = ["--max-semi-space-size=1", "--v8-pool-size=1"];

/**
 * glibc gives each thread a heap of its own, which keeps what it once had: 7 MB of perchd's. For perchd alone, and not
 * for what it starts.
 */
export const oneHeap = "MALLOC_ARENA_MAX";

/** Resolves when perchd is ready. Rejects with its own error, or with `daemon_start_failed`. */
export async function startDaemon(
  home: Home,
  options: StartOptions,
  program = ourProgram(import.meta.url, "../../daemon/main", daemonFlags),
): Promise<StartedDaemon> {
  const [command = "", ...args] = withoutCores(program);
  const log = await openLog(home);
  if (options.signal.aborted) {
    closeSync(log);
    throw fail("cancelled", { what: "starting Perch" }); // somebody changed his mind while we prepared
  }
  const child = spawn(command, args, {
    detached: !options.foreground,
    stdio: ["ignore", "pipe", log],
    cwd: "/",
    env: {
      ...daemonEnvironment(process.env),
      PERCH_HOME: home.base,
      PERCH_NETWORK: home.network,
      [oneHeap]: "1",
      ...(options.portable ? { PERCH_PORTABLE: "1" } : {}),
    },
  });
  closeSync(log);
  const ended = new Promise<number>((resolve) =>
    child.once("exit", (code, signal) => resolve(code ?? 128 + signalNumber(signal))),
  );
  const interrupt = () => void child.kill("SIGTERM");
  options.signal.addEventListener("abort", interrupt, { once: true });
  try {
    await ready(child, home, options, ended);
  } finally {
    options.signal.removeEventListener("abort", interrupt);
  }
  child.stdout?.destroy();
  if (!options.foreground) child.unref();
  return { pid: child.pid ?? 0, signal: (signal) => void child.kill(signal), ended };
}

async function openLog(home: Home): Promise<number> {
  try {
    await makeDirectory(home.root);
    // Nobody has looked at the home yet: a link that somebody laid there is not followed.
    return openSync(
      home.log,
      constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
      0o600,
    );
  } catch (error) {
    throw fail(
      "daemon_start_failed",
      { why: `its log cannot be opened: ${error instanceof Error ? error.message : String(error)}`, log: home.log },
      error,
    );
  }
}

function ready(child: ChildProcess, home: Home, options: StartOptions, ended: Promise<number>): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(fail("daemon_start_failed", { why: error.message, log: home.log }, error)));
    if (child.stdout === null) return;
    const lines = createInterface({ input: child.stdout });
    lines.on("line", (line) => {
      const said = frameOf(line);
      if (said === undefined) return;
      if ("progress" in said) options.onProgress(said.progress);
      else if ("error" in said) reject(new PerchError(said.error));
      else resolve();
    });
    // Its last words may still be in the pipe when it exits: the end of the pipe is the end.
    lines.on("close", () => {
      void ended.then(async (code) => {
        if (options.signal.aborted) return reject(fail("cancelled", { what: "starting Perch" }));
        return reject(
          fail("daemon_start_failed", {
            why: `it ended with exit code ${code}${await lastWords(home.log)}`,
            log: home.log,
          }),
        );
      });
    });
  });
}

type Said = { progress: string } | { ready: true } | { error: ErrorBody };

function frameOf(line: string): Said | undefined {
  try {
    const said = JSON.parse(line) as Said;
    return typeof said === "object" && said !== null && ("progress" in said || "ready" in said || "error" in said)
      ? said
      : undefined;
  } catch {
    return undefined; // a line that is not for us, as of a warning by Node
  }
}

/** The last line of a log that is no JSON, which is what Node prints when a program cannot even be loaded. */
async function lastWords(log: string): Promise<string> {
  // A log that cannot be read has nothing to add.
  const text = await readFile(log, "utf8").catch(() => "");
  const line = text
    .trimEnd()
    .split("\n")
    .slice(-30)
    .find((candidate) => /^\w*Error\b/.test(candidate));
  return line === undefined ? "" : `: ${redact(line)}`;
}

const signalNumber = (signal: NodeJS.Signals | null): number =>
  signal === "SIGKILL" ? 9 : signal === "SIGTERM" ? 15 : signal === "SIGINT" ? 2 : 1;
