import { PerchError } from "../errors/error.ts";
import { type ErrorCode, register } from "../errors/register.ts";

/**
 * NDJSON as it comes over a socket: chunks cut anywhere, lines parsed one by one. Rejects with SyntaxError on a line
 * that is no JSON.
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield JSON.parse(line) as unknown;
  }
  // What follows the last newline is a line cut off by a daemon that died: no frame.
}

/**
 * The error in `{"error": {code, message, next}}`; undefined where there is none. A code of a newer daemon is shown as
 * `internal` with its own message.
 */
export function errorIn(frame: unknown): PerchError | undefined {
  if (typeof frame !== "object" || frame === null || !("error" in frame)) return undefined;
  const { error } = frame;
  if (typeof error !== "object" || error === null) return undefined;
  const { code, message, next } = error as Record<string, unknown>;
  if (typeof code !== "string" || typeof message !== "string") return undefined;
  const known = Object.hasOwn(register, code) ? (code as ErrorCode) : "internal";
  return new PerchError({ code: known, message, next: typeof next === "string" ? next : "" });
}
