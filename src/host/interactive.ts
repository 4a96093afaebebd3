import { spawn } from "node:child_process";
import { constants as files } from "node:fs";
import { access, stat } from "node:fs/promises";
import { constants } from "node:os";
import { join, resolve } from "node:path";

/**
 * Programs that get our terminal: stdin, stdout and stderr are theirs, signals reach them, and what they end with is what we end with.
 */
export interface Interactive {
  pid: number;
  kill(signal: NodeJS.Signals): void;
  /** The exit code as a shell tells it: the program's own, or 128 + the number of the signal that ended it. */
  ended: Promise<number>;
}

/** Signals that a terminal itself sends to everybody in the foreground, us and the program: passing them on would send them twice. */
const fromTerminal: readonly NodeJS.Signals[] = ["SIGINT", "SIGQUIT"];
const passedOn: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCONT"];

/**
 * Starts a program in our own process group, so that it stays in the foreground of the terminal. Until it ends, no signal but SIGKILL ends us.
 * Rejects when it cannot be started.
 */
export function runInteractive(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Interactive> {
  return new Promise((started, failed) => {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, { stdio: "inherit", env });
    const atTerminal = process.stdin.isTTY;
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
    child.once("spawn", () => started({ pid: child.pid ?? 0, kill: (signal) => void child.kill(signal), ended }));
  });
}

type Handler = [signal: NodeJS.Signals, handler: () => void];

export const exitCodeAs = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? (signal === null ? 1 : 128 + constants.signals[signal]);

/** Whether a shell would find and could run a command: by its path where it has a slash, else along PATH. */
export async function lookUpCommand(command: string, path: string, directory: string): Promise<"runnable" | "missing" | "not executable"> {
  const candidates = command.includes("/") ? [resolve(directory, command)] : path.split(":").map((entry) => join(resolve(directory, entry), command));
  let seen = false;
  for (const candidate of candidates) {
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
