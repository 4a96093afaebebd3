import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { searchPath } from "../files/files.ts";

/**
 * Starts a process that takes something back should this one be gone or stopped before it has done so itself: its
 * standard input is a pipe that closes when this process ends. Gives what tells it, by a byte, that it is not needed
 * any more. Rejects when it cannot be started.
 */
export function startGuard(argv: readonly string[]): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      cwd: "/",
      env: { PATH: searchPath().join(":"), LC_ALL: "C" },
    });
    child.stdin.on("error", () => undefined); // it may have ended by itself
    child.on("error", reject);
    child.on("spawn", () => {
      child.unref();
      (child.stdin as Socket).unref();
      resolve(() => void child.stdin.end("."));
    });
  });
}
