import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";

/**
 * A Node program of ours that runs where `argv` puts it (inside a namespace, say) for as long as it is spoken to over
 * Node's IPC.
 */
export interface Companion {
  readonly pid: number;
  /** With a socket: it is the other's from then on. */
  send(message: object, socket?: Socket): void;
  /** Resolves when it is gone, with its last words. */
  readonly closed: Promise<string>;
  /** Closes the channel: the program does what it still has to do, and ends. */
  leave(): void;
  kill(): void;
}

/** How much of its last words is kept. */
const lastWordsAtMost = 2_000;

/** Rejects when it cannot be started at all. It is in a session of its own, so that Ctrl-C is not meant for it. */
export function startCompanion(argv: readonly string[], onMessage: (message: unknown) => void): Promise<Companion> {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, {
      detached: true,
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, LC_ALL: "C" },
    });
    child.on("error", reject);
    child.on("message", onMessage);
    child.on("spawn", () => resolve(companionOf(child)));
  });
}

function companionOf(child: ChildProcess): Companion {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (said = (said + chunk).slice(-lastWordsAtMost)));
  const closed = new Promise<string>((resolve) => {
    child.on("close", (exitCode, signal) =>
      resolve(said.trim().split("\n").at(-1) || `it ended with ${signal ?? `exit code ${exitCode}`}`),
    );
  });
  return {
    pid: child.pid ?? 0,
    send(message, socket) {
      if (!child.connected) return void socket?.destroy();
      // Else Node counts what it gave away, and a server that gave to a process which is gone by then never closes.
      if (socket !== undefined) Object.assign(socket, { server: undefined });
      child.send(message, socket, {}, () => socket?.destroy());
    },
    closed,
    leave: () => (child.connected ? child.disconnect() : undefined),
    kill: () => void child.kill("SIGKILL"),
  };
}
