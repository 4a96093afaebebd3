import { fail, isCode } from "../../errors/error.ts";

/** What is said of a run that named no app, by somebody who meant one. Pure: `apps` are the names there are. */

/** `perch run web npm start`: the command that does not exist is an app. Else the error as it is. */
export function orIsApp(error: unknown, command: readonly string[], apps: readonly string[]): unknown {
  const [word = "", ...rest] = command;
  if (!isCode(error, "command_not_found") || !apps.includes(word)) return error;
  const words = rest[0] === "--" ? rest.slice(1) : rest;
  return fail("command_is_app", { app: word, command: words.length === 0 ? "COMMAND" : words.join(" ") }, error);
}

/** A program that fails without an app may have missed its secrets. What a signal ended is no failure of its own. */
export function missedSecrets(exit: number, apps: readonly string[]): string | undefined {
  const signalled = exit > 128 && exit < 160;
  if (exit === 0 || signalled || apps.length === 0) return undefined;
  return `It ran without an app, so it had no secrets. To give it those of one: perch run -a ${apps.length === 1 ? (apps[0] ?? "") : "APP"} -- COMMAND`;
}
