import { spawn } from "node:child_process";
import type { Socket as UdpSocket } from "node:dgram";
import type { Server } from "node:net";

/** A socket as a helper program hands it over. It stays in the namespace it was made in, whoever uses it. */
export type Handle = UdpSocket | Server;

/**
 * Runs a Node program that opens sockets where `argv` puts it (inside a namespace, say) and sends each over Node's IPC
 * with a message about it; a message without a handle means that there are no more. Then the channel is closed, upon
 * which the program exits. Rejects with the program's last line when it ends before that, or takes longer than
 * `timeoutMs`.
 */
export function receiveHandles(
  argv: readonly string[],
  timeoutMs: number,
  onHandle: (message: unknown, handle: Handle) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, LC_ALL: "C" },
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const said: Buffer[] = [];
    child.stderr?.on("data", (chunk: Buffer) => said.push(chunk));
    child.on("message", (message, handle) => {
      if (handle !== undefined && handle !== null) return onHandle(message, handle as Handle);
      child.disconnect();
      resolve();
    });
    child.on("error", reject);
    child.on("close", (exitCode, signal) => {
      const last = Buffer.concat(said).toString("utf8").trim().split("\n").at(-1) ?? "";
      reject(
        new Error(
          last === ""
            ? `${rest.at(-1) ?? program} ended with ${signal ?? exitCode} before its sockets were open`
            : last,
        ),
      );
    });
  });
}

/**
 * Starts a Node program that outlives this one where `argv` puts it (inside a namespace, say). It gets the first
 * message; when it has answered, the others, each with a socket that is its, too, from then on, and then one that says
 * `done`. Resolves when it has answered that, too; rejects with its last line when it ends before, or takes longer than
 * `timeoutMs`.
 */
export function startWithHandles(
  argv: readonly string[],
  first: object,
  others: readonly { message: object; handle: Handle }[],
  options: { outputFd: number; timeoutMs: number },
): Promise<{ pid: number }> {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, {
      detached: true,
      cwd: "/",
      stdio: ["ignore", options.outputFd, "pipe", "ipc"],
      env: { ...process.env, LC_ALL: "C" },
    });
    const said: Buffer[] = [];
    const late = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs);
    child.stderr?.on("data", (chunk: Buffer) => said.push(chunk));
    child.once("message", () => {
      for (const { message, handle } of others) child.send(message, handle);
      child.send({ done: true });
      child.once("message", () => {
        clearTimeout(late);
        child.disconnect();
        child.stderr?.destroy();
        child.unref();
        resolve({ pid: child.pid ?? 0 });
      });
    });
    child.on("error", (error) => {
      clearTimeout(late);
      reject(error);
    });
    child.on("close", (exitCode, signal) => {
      clearTimeout(late);
      // Where Node itself ends it, the line that says why stands before the stack.
      const lines = Buffer.concat(said).toString("utf8").trim().split("\n");
      const last = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? "";
      reject(
        new Error(
          last === "" ? `${rest.at(-1) ?? program} ended with ${signal ?? exitCode} before it was ready` : last,
        ),
      );
    });
    child.send(first);
  });
}
