import { fail } from "../errors/error.ts";
import { maxSecretBytes } from "../model/secret.ts";

/** Secrets that come in by stdin or are typed in, so that they stand in no process list and no shell history. */

/** All of stdin as text. Throws when it is more than an API request takes. */
export async function readStdin(limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) throw fail("request_too_large", { limit });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** One value: typed unseen at a terminal, else stdin without the newline that `echo` puts at its end. */
export async function readSecret(name: string): Promise<string> {
  if (!process.stdin.isTTY) return (await readStdin(maxSecretBytes + 2)).replace(/\r?\n$/, "");
  const { password, isCancel } = await import("@clack/prompts");
  const typed = await password({ message: name, output: process.stderr });
  if (isCancel(typed)) throw fail("question_cancelled", {});
  return typed;
}

/** The value of a `--password` flag: `-` asks for it. */
export const passwordFrom = (flag: string | undefined): Promise<string | undefined> | string | undefined =>
  flag === "-" ? readSecret("Password") : flag;
