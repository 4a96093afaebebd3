import { type SpawnOptions, spawn } from "node:child_process";
import { redact } from "../../base/redact.ts";
import { searchPath } from "../files/files.ts";

/** A program that ran and failed: what was run, how it ended, what it said. Passwords are taken out of the text. */
export class CommandError extends Error {
  readonly argv: readonly string[];
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  /** ENOENT when the program does not exist. */
  readonly code: string | undefined;

  constructor(
    argv: readonly string[],
    end: { exitCode: number | null; signal: NodeJS.Signals | null; stderr: string; code?: string },
  ) {
    const how = end.code ?? (end.signal === null ? `exit code ${end.exitCode}` : `signal ${end.signal}`);
    const said = redact(end.stderr.trim()).split("\n").slice(-4).join("; ");
    super(`${argv[0]} failed (${how})${said === "" ? "" : `: ${said}`}`);
    this.name = "CommandError";
    this.argv = argv;
    this.exitCode = end.exitCode;
    this.signal = end.signal;
    this.stderr = redact(end.stderr);
    this.code = end.code;
  }
}

export interface RunOptions {
  input?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** Milliseconds after which the program is killed. 60,000 where none is given. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Where its output goes; in place of giving it. */
  outputFd?: number;
}

const environment = (env: Record<string, string> | undefined): NodeJS.ProcessEnv => ({
  ...process.env,
  PATH: searchPath().join(":"), // what findProgram finds must be found when it is run
  LC_ALL: "C",
  ...env,
});

/** Runs one program to its end and gives what it printed. argv only, never a shell. Rejects with CommandError. */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, {
      env: environment(options.env),
      stdio: ["pipe", options.outputFd ?? "pipe", "pipe"],
      timeout: options.timeoutMs ?? 60_000,
      killSignal: "SIGKILL",
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
    const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString("utf8");
    child.on("error", (error: NodeJS.ErrnoException) => {
      const code = error.name === "AbortError" ? "ABORTED" : error.code;
      reject(
        new CommandError(argv, {
          exitCode: null,
          signal: null,
          stderr: text(err),
          ...(code === undefined ? {} : { code }),
        }),
      );
    });
    child.on("close", (exitCode, signal) => {
      if (exitCode === 0) resolve({ stdout: text(out), stderr: text(err) });
      else reject(new CommandError(argv, { exitCode, signal, stderr: text(err) }));
    });
  });
}

/** As `run`, with false in place of a rejection: for questions whose "no" is an exit code. */
export const succeeds = async (argv: readonly string[], options?: RunOptions): Promise<boolean> =>
  run(argv, options).then(
    () => true,
    () => false,
  );

export interface Started {
  pid: number;
  /** Resolves when the process has ended, with what it ended with. Never rejects. */
  ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>;
}

/**
 * Starts a process that outlives this one: its own session, its output to a file descriptor or nowhere. Rejects with
 * CommandError when it cannot be started at all.
 */
export function startDetached(
  argv: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; outputFd?: number } = {},
): Promise<Started> {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = argv;
    const output = options.outputFd ?? "ignore";
    const spawnOptions: SpawnOptions = {
      detached: true,
      stdio: ["ignore", output, output],
      env: environment(options.env),
    };
    if (options.cwd !== undefined) spawnOptions.cwd = options.cwd;
    const child = spawn(program, rest, spawnOptions);
    const ended = new Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }>((end) =>
      child.on("exit", (exitCode, signal) => end({ exitCode, signal })),
    );
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        new CommandError(argv, {
          exitCode: null,
          signal: null,
          stderr: "",
          ...(error.code === undefined ? {} : { code: error.code }),
        }),
      ),
    );
    child.on("spawn", () => {
      child.unref();
      resolve({ pid: child.pid ?? 0, ended });
    });
  });
}
