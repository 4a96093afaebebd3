import { isatty } from "node:tty";
import { spawn } from "node:child_process";
import { constants as files } from "node:fs";
import { access, stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { constants } from "node:os";
import { join, resolve } from "node:path";

/**
 * Programs that get our terminal: stdin, stdout and stderr are theirs, signals reach them, and what they end with is
 * what we end with.
 */
export interface Interactive {
  pid: number;
  kill(signal: NodeJS.Signals): void;
  /** The exit code as a shell tells it: the program's own, or 128 + the number of the signal that ended it. */
  ended: Promise<number>;
  /** Whether it came to where it was to be prepared; true where it was not to be. */
  begun: boolean;
}

/**
 * Signals that a terminal itself sends to everybody in the foreground, us and the program: passing them on would send
 * them twice.
 */
const fromTerminal: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];
const passedOn: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"];

/**
 * Starts a program in our own process group, so that it stays in the foreground of the terminal. Until it ends, no
 * signal but SIGKILL ends us. Rejects when it cannot be started. With `prepare` it says by its descriptor 3 when it is
 * to be prepared, and goes on when that is done.
 */
export function runInteractive(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  prepare?: (pid: number) => Promise<void>,
): Promise<Interactive> {
  return new Promise((started, failed) => {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, {
      stdio: prepare === undefined ? "inherit" : ["inherit", "inherit", "inherit", "pipe"],
      env,
    });
    // Not process.stdin: to open it here makes what the program shares with us non-blocking, and it reads EAGAIN.
    const atTerminal = isatty(0);
    const handlers = [
      ...passedOn.map((signal): Handler => [signal, () => void child.kill(signal)]),
      ...fromTerminal.map((signal): Handler => [signal, () => (atTerminal ? undefined : void child.kill(signal))]),
    ];
    for (const [signal, handler] of handlers) process.on(signal, handler);
    const stopListening = () => {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    };
    child.once("error", (error) => {
      stopListening();
      failed(error);
    });
    const ended = new Promise<number>((end) => {
      child.once("exit", (code, signal) => {
        stopListening();
        end(exitCodeAs(code, signal));
      });
    });
    const running = (begun: boolean) => ({
      pid: child.pid ?? 0,
      kill: (signal: NodeJS.Signals) => void child.kill(signal),
      ended,
      begun,
    });
    const line = child.stdio[3] as Socket | null | undefined;
    if (prepare === undefined || !line) return void child.once("spawn", () => started(running(true)));
    line.on("error", () => undefined);
    line.once("close", () => started(running(false)));
    line.once("data", () => {
      prepare(child.pid ?? 0).then(
        () => {
          started(running(true));
          line.end("\n");
        },
        (error: unknown) => {
          line.destroy(); // the program ends by itself
          failed(error);
        },
      );
    });
  });
}

type Handler = [signal: NodeJS.Signals, handler: () => void];

export const exitCodeAs = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? (signal === null ? 1 : 128 + constants.signals[signal]);

/** Whether a shell would find and could run a command: by its path where it has a slash, else along PATH. */
export async function lookUpCommand(
  command: string,
  path: string,
  directory: string,
): Promise<"runnable" | "missing" | "not executable"> {
  const candidates = command.includes("/")
    ? [resolve(directory, command)]
    : path.split(":").map((entry) => join(resolve(directory, entry), command));
  let seen = false;
  for (const candidate of candidates) {
    // What is not there is not the program.
    const found = await stat(candidate).catch(() => undefined);
    if (found === undefined) continue;
    seen ||= command.includes("/") || found.isFile();
    if (
      found.isFile() &&
      (await access(candidate, files.X_OK).then(
        () => true,
        () => false,
      ))
    )
      return "runnable";
  }
  return seen ? "not executable" : "missing";
}
