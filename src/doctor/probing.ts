import { CommandError, run } from "../host/process/command.ts";
import { ourProgram } from "../host/process/program.ts";
import type { Knock, Refused, Target } from "./facts.ts";

/** What the program inside is told, on its stdin: argv shows in every list of processes. */
export interface Order {
  /** Without one it only shows that it could be started. */
  target?: Target;
  /** The network's own authority, PEM; a file that the URL names comes first. */
  authority: string;
}

/** Longer than all patience of the program itself. */
const timeoutMs = 40_000;

/**
 * Goes the app's way from where `enter` leads. Never rejects: that the program could not be started there is a finding,
 * too.
 */
export async function knock(enter: readonly string[], order: Order): Promise<Knock | Refused> {
  try {
    const { stdout } = await run([...enter, ...ourProgram(import.meta.url, "probe")], {
      input: JSON.stringify(order),
      timeoutMs,
    });
    return JSON.parse(stdout) as Knock;
  } catch (error) {
    if (!(error instanceof CommandError)) return { error: (error as Error).message };
    const [line = ""] = error.stderr.trim().split("\n").slice(-1);
    return { error: line === "" ? error.message : line };
  }
}
