import { fail } from "../errors/error.ts";
import { globalFlags, type Globals } from "./command.ts";

/** Global flags that stand before the command's name; what follows them is left as it is. */
export function leadingGlobals(words: readonly string[]): { globals: Globals; rest: readonly string[] } {
  const globals: Record<string, string> = {};
  let used = 0;
  for (;;) {
    const [, key = "", joined] = /^--(\w+)(?:=(.*))?$/s.exec(words[used] ?? "") ?? [];
    if (!Object.hasOwn(globalFlags, key)) return { globals, rest: words.slice(used) };
    const value = joined ?? words[used + 1];
    if (value === undefined) throw fail("usage_invalid", { reason: `perch: option '--${key}' lacks its value` });
    globals[key] = value;
    used += joined === undefined ? 2 : 1;
  }
}
