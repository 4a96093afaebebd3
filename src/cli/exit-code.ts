import { PerchError } from "../errors/error.ts";
import { shownJson } from "../errors/shown.ts";

/**
 * How a command that failed ends: 2 when it was asked wrongly, 1 when it failed, 126 and 127 for a command of `perch
 * run` that cannot be run or does not exist, 130 (128 + SIGINT) and 143 (128 + SIGTERM) when it was interrupted. Pure.
 */
export function exitCodeOf(error: unknown, interruptedBy?: "SIGINT" | "SIGTERM"): number {
  if (interruptedBy !== undefined) return interruptedBy === "SIGINT" ? 130 : 143;
  if (!(error instanceof PerchError)) return 1;
  return error.code === "question_cancelled" ? 130 : error.entry.exit;
}

/** What goes to stderr: two lines for people, one JSON value where --json was asked for. */
export function errorText(error: PerchError, json: boolean, red: (text: string) => string = (text) => text): string {
  if (json) return `${shownJson({ error: error.toBody() })}\n`;
  return `${red("Error:")} ${error.message} [${error.code}]\n${error.next === "" ? "" : `Next: ${error.next}\n`}`;
}
