import { realpath } from "node:fs/promises";
import { basename } from "node:path";
import { fail } from "../../errors/error.ts";
import { run } from "./command.ts";
import { findProgram } from "../files/files.ts";
import { aptLine } from "../system/packages.ts";

/**
 * `own-environment.ts` needs an `env` that splits a text and puts variables into it (-S). GNU's does since coreutils
 * 8.30, which is as old as the C library that Node.js needs; that of busybox does not, and would only print how it is
 * used. Asked where `env` is another program by its file; rejects with `tools_missing`.
 */
export async function requireSplittingEnv(): Promise<void> {
  const found = await findProgram("env");
  if (found !== undefined && basename(await realpath(found)) === "env") return;
  const asked = await run([found ?? "env", "-i", "-S", "-- ${PERCH_PAIR_0} ${PERCH_PAIR_1}", "env"], {
    env: { PERCH_PAIR_0: "A= b  c", PERCH_PAIR_1: "B='" },
  }).then(
    ({ stdout }) => stdout,
    () => "",
  );
  if (asked !== "A= b  c\nB='\n")
    throw fail("tools_missing", {
      tools: "an env that knows -S (GNU coreutils 8.30)",
      how: await aptLine(["coreutils"]),
    });
}
