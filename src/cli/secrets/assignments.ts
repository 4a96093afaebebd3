import { fail } from "../../errors/error.ts";
import { checkSecretName, checkSecretValue } from "../../model/secret.ts";

/**
 * NAME=VALUE as people write it: on a command line, and in files as `perch secrets import` reads them. Pure. Errors
 * never quote what was written.
 */

/** Where a value comes from: written down, or to be read from stdin (`NAME=-`). */
export type Assignment = { name: string; value: string } | { name: string; from: "stdin" };

/** One argument of `secrets set`. */
export function parseArgument(argument: string): Assignment {
  const cut = argument.indexOf("=");
  if (cut < 0) throw fail("secret_pair_invalid", { what: "an argument has no =" });
  const name = checkSecretName(argument.slice(0, cut));
  const value = argument.slice(cut + 1);
  return value === "-" ? { name, from: "stdin" } : { name, value: checkSecretValue(name, value) };
}

/**
 * Lines NAME=VALUE. Empty lines and lines that begin with `#` are nothing; `export ` before a name is allowed; quotes
 * around a whole value are taken off; `"""` begins a value of many lines, which ends with the next `"""`. The last
 * assignment of a name counts.
 */
export function parseAssignments(text: string): Record<string, string> {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const values = new Map<string, string>();
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (/^\s*(#|$)/.test(line)) continue;
    const cut = line.indexOf("=");
    if (cut < 0) throw fail("secret_pair_invalid", { what: `line ${index + 1} has no =` });
    const name = checkSecretName(
      line
        .slice(0, cut)
        .replace(/^\s*export\s+/, "")
        .trim(),
    );
    const rest = line.slice(cut + 1).trim();
    if (!rest.startsWith('"""')) {
      values.set(name, checkSecretValue(name, unquoted(rest)));
      continue;
    }
    const { value, last } = manyLines(lines, index, rest.slice(3));
    values.set(name, checkSecretValue(name, value));
    index = last;
  }
  return Object.fromEntries(values);
}

function unquoted(text: string): string {
  const [first] = text;
  return text.length >= 2 && (first === '"' || first === "'") && text.endsWith(first) ? text.slice(1, -1) : text;
}

/**
 * The value from what follows the opening quotes to the closing ones; a newline right after the opening or before the
 * closing quotes is none of it.
 */
function manyLines(lines: readonly string[], start: number, opening: string): { value: string; last: number } {
  const parts: string[] = [];
  for (let index = start; index < lines.length; index++) {
    const line = index === start ? opening : (lines[index] ?? "");
    const end = line.indexOf('"""');
    if (end < 0) {
      parts.push(line);
      continue;
    }
    if (line.slice(end + 3).trim() !== "")
      throw fail("secret_pair_invalid", { what: `line ${index + 1} goes on after """` });
    parts.push(line.slice(0, end));
    if (parts.length > 1 && parts[0]?.trim() === "") parts.shift();
    if (parts.length > 1 && parts.at(-1)?.trim() === "") parts.pop();
    return { value: parts.join("\n"), last: index };
  }
  throw fail("secret_pair_invalid", { what: `the """ of line ${start + 1} is never closed` });
}
