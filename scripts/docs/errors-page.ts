import { type ErrorEntry, register } from "../../src/errors/register.ts";
import { cell, tableOf } from "./markdown.ts";

/** docs/errors.md: the register. Pure. */
export function errorsPage(): string {
  const entries = Object.entries<ErrorEntry>(register);
  const rows = (kind: ErrorEntry["kind"]) =>
    entries
      .filter(([, entry]) => entry.kind === kind)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([code, { message, next, status, exit }]) => [
        `\`${code}\``,
        text(message),
        text(next),
        String(status),
        String(exit),
      ]);
  const head = ["code", "message", "what to do next", "HTTP", "exit"];
  return [
    "# Errors",
    "",
    "Written from the code by `npm run docs`. Every error has a code that stays: one that is retired never returns with another meaning. The CLI prints",
    '`Error: <message> [<code>]` and `Next: <what to do>`; the API answers `{"error": {"code", "message", "next"}}`. Words in braces are filled in.',
    "",
    "## What the caller can mend",
    "",
    ...tableOf(head, rows("user")),
    "",
    "## What the machine, PostgreSQL or Perch itself is the cause of",
    "",
    ...tableOf(head, rows("system")),
    "",
  ].join("\n");
}

// Braces and angle brackets as they are: Markdown would take `<name>` for HTML.
const text = (message: string): string => cell(message).replaceAll("<", "&lt;");
