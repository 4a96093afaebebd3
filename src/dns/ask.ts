import { fail } from "../errors/error.ts";
import { CommandError, run } from "../host/process/command.ts";
import { ourProgram } from "../host/process/program.ts";

/** As `answer` of api/schemas.ts has it. */
export interface DigAnswer {
  name: string;
  type: string;
  status: string;
  server: string;
  milliseconds: number;
  answers: { name: string; type: string; ttl: number; data: string }[];
}

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
export async function askNameServer(enter: readonly string[], question: DigQuestion): Promise<DigAnswer> {
  try {
    const { stdout } = await run([...enter, ...ourProgram(import.meta.url, "dig"), JSON.stringify(question)], {
      timeoutMs: 20_000,
    });
    return JSON.parse(stdout) as DigAnswer;
  } catch (error) {
    const why =
      error instanceof CommandError
        ? (error.stderr.trim().split("\n").at(-1) ?? error.message)
        : (error as Error).message;
    throw fail("name_server_lost", { why }, error);
  }
}
