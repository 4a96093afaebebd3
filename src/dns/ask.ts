import type { z } from "zod";
import { answer as answerSchema } from "../api/schemas.ts";
import { fail } from "../errors/error.ts";
import { CommandError, run } from "../host/command.ts";
import { ourProgram } from "../host/program.ts";

export interface DigQuestion {
  /** For PTR also an address. */
  name: string;
  type: "AAAA" | "A" | "TXT" | "PTR" | "SOA" | "NS" | "ANY";
  /** The address of the name server, and so the region it is asked from. */
  server: string;
  port?: number;
  tcp: boolean;
}

/** Asks from inside the namespace that `enter` leads to. Rejects with `name_server_lost` when there is no answer. */
export async function askNameServer(enter: readonly string[], question: DigQuestion): Promise<z.infer<typeof answerSchema>> {
  try {
    const { stdout } = await run([...enter, ...ourProgram(import.meta.url, "dig"), JSON.stringify(question)], { timeoutMs: 20_000 });
    return answerSchema.parse(JSON.parse(stdout));
  } catch (error) {
    const why = error instanceof CommandError ? (error.stderr.trim().split("\n").at(-1) ?? error.message) : (error as Error).message;
    throw fail("name_server_lost", { why }, error);
  }
}
