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

/** Runs any program to its end; a failure is an answer, not an exception. Rejects when the program does not exist. */
export function runToEnd(argv: readonly string[], options: RunAs = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = options.as === undefined ? argv : asAccount(options.as, argv);
    const env = { ...process.env, NO_COLOR: "1", ...(options.as === undefined ? {} : { HOME: options.as.home }), ...options.env };
    const child = spawn(program, rest, { env, cwd: options.cwd ?? repository, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", reject);
    child.on("close", (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") }),
    );
  });
}

/** The built CLI as a process of its own, as a user types it. */
export const runCli = (args: readonly string[], options: RunAs = {}): Promise<Ended> => runToEnd([process.execPath, main, ...args], options);

/** `perch` bound to one home: `const perch = perchIn(tempHome())`, then `await perch(["up"])`. */
export const perchIn =
  (home: string, always: RunAs = {}) =>
  (args: readonly string[], options: RunAs = {}): Promise<Ended> =>
    runCli(args, { ...always, ...options, env: { ...always.env, ...options.env, PERCH_HOME: home } });

/** The standard output of a command that must succeed; throws with everything it said when it does not. */
export function succeeded(ended: Ended): string {
  if (ended.code !== 0) throw new Error(`exit ${ended.code ?? ended.signal}\n${ended.stdout}\n${ended.stderr}`);
  return ended.stdout;
}
