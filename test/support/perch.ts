import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Account, asAccount } from "./account.ts";

export const repository = fileURLToPath(new URL("../..", import.meta.url));
const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Ended {
  /** null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunAs {
  env?: Record<string, string>;
  input?: string;
  cwd?: string;
  /** Whose process it is; this one's user where none is given. */
  as?: Account;
}

export interface RunningProgram {
  pid: number;
  /** What it has said so far. */
  stdout(): string;
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

/** Starts any program. Rejects when it does not exist. */
export function start(argv: readonly string[], options: RunAs = {}): Promise<RunningProgram> {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = options.as === undefined ? argv : asAccount(options.as, argv);
    const env = {
      ...process.env,
      NO_COLOR: "1",
      ...(options.as === undefined ? {} : { HOME: options.as.home }),
      ...options.env,
    };
    const child = spawn(program, rest, { env, cwd: options.cwd ?? repository, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString("utf8");
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    const ended = new Promise<Ended>((end) =>
      child.on("close", (code, signal) => end({ code, signal, stdout: text(out), stderr: text(err) })),
    );
    child.on("spawn", () =>
      resolve({
        pid: child.pid ?? 0,
        stdout: () => text(out),
        stderr: () => text(err),
        kill: (signal) => void child.kill(signal),
        ended,
      }),
    );
  });
}

/** Runs any program to its end; a failure is an answer, not an exception. Rejects when the program does not exist. */
export const runToEnd = async (argv: readonly string[], options: RunAs = {}): Promise<Ended> =>
  (await start(argv, options)).ended;

/**
 * `perch` bound to one home: `const perch = perchIn(tempHome())`, then `await perch(["up"])`. `program`: the CLI of
 * another installation.
 */
export const perchIn =
  (home: string, always: RunAs = {}, program = main) =>
  (args: readonly string[], options: RunAs = {}): Promise<Ended> =>
    runToEnd([process.execPath, program, ...args], {
      ...always,
      ...options,
      env: { ...always.env, ...options.env, PERCH_HOME: home },
    });

/** The same, begun and not waited for. */
export const startIn =
  (home: string) =>
  (args: readonly string[], options: RunAs = {}): Promise<RunningProgram> =>
    start([process.execPath, main, ...args], { ...options, env: { ...options.env, PERCH_HOME: home } });

/** The standard output of a command that must succeed; throws with everything it said when it does not. */
export function succeeded(ended: Ended): string {
  if (ended.code !== 0) throw new Error(`exit ${ended.code ?? ended.signal}\n${ended.stdout}\n${ended.stderr}`);
  return ended.stdout;
}
