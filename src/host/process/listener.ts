import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { searchPath } from "../files/files.ts";
import { kernelText } from "../files/kernel-text.ts";

/** A program that says something whenever something happens, for as long as this process lives. */
export interface Listener {
  /** Whether it runs, and no signal has stopped it. */
  hears(): boolean;
  kill(): void;
}

/**
 * Starts one; `heard` is called at each thing it says. It is killed when this process ends, however that ends: what it
 * says is for nobody else. `lead`: how a program gets where it is to listen. One that cannot be started hears nothing.
 */
export function startListener(
  lead: (argv: readonly string[]) => readonly string[],
  argv: readonly string[],
  heard: () => void,
): Listener {
  const [program = "", ...rest] = lead(["setpriv", "--pdeathsig", "KILL", "--", ...argv]);
  const child = spawn(program, rest, {
    detached: true, // Ctrl-C is not meant for it
    cwd: "/",
    stdio: ["ignore", "pipe", "ignore"],
    // An ordinary user's own PATH has neither ip nor nft.
    env: { ...process.env, PATH: searchPath().join(":"), LC_ALL: "C" },
  });
  let gone = false;
  child.on("error", () => (gone = true));
  child.on("exit", () => (gone = true));
  child.stdout.on("data", heard);
  child.unref();
  (child.stdout as Socket).unref();
  return {
    hears: () => !gone && child.pid !== undefined && !isStopped(child.pid),
    kill: () => void child.kill("SIGKILL"),
  };
}

/** "T" by a signal, "t" by a debugger; what is not there is not stopped. */
const isStopped = (pid: number): boolean => /^State:\s+[Tt]/m.test(kernelText(`/proc/${pid}/status`) ?? "");
