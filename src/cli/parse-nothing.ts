import type { Command, Flag, Globals } from "./command.ts";

/** The words after the name of a command, read by its data. */
export interface Parsed {
  args: Record<string, string | string[] | undefined>;
  flags: Record<string, unknown>;
  globals: Globals;
  help: boolean;
}

/**
 * What `parse` gives for a command with no word after its name, without loading the parser; undefined where it needs
 * one. Pure.
 */
export function parseNothing({ args, flags }: Pick<Command, "args" | "flags">): Parsed | undefined {
  const given = Object.entries(args);
  if (given.some(([, arg]) => arg.optional !== true)) return undefined;
  return {
    args: Object.fromEntries(given.map(([name, { many }]) => [name, many === true ? [] : undefined])),
    flags: Object.fromEntries(Object.entries(flags).map(([key, flag]) => [key, emptyValue(flag)])),
    globals: {},
    help: false,
  };
}

/** Of a flag that was not typed. */
export const emptyValue = (flag: Flag): unknown =>
  ({ boolean: false, strings: [], string: flag.default, integer: flag.default })[flag.type];
