import { Argument, Command as Commander, CommanderError, Option } from "commander";
import { fail } from "../errors/error.ts";
import { type Arg, type Command, type Flag, globalFlags } from "./command.ts";
import { emptyValue, type Parsed } from "./parse-nothing.ts";

export const globalFlagEntries: readonly [string, Flag][] = Object.entries<Flag>(globalFlags);

/** `initialClusterSize` → `initial-cluster-size` */
export const flagName = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * The words after a command's name, by the command's data. Pure: gives values or throws `usage_invalid` and
 * `size_invalid`.
 */
export function parse(command: Command, words: readonly string[]): Parsed {
  const parser = parserOf(command);
  try {
    parser.parse([...words], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { args: {}, flags: {}, globals: {}, help: true };
    throw fail("usage_invalid", { reason: reasonOf(error.message, command.name) }, error);
  }
  const values = parser.processedArgs as (string | string[] | undefined)[];
  const options: Record<string, unknown> = parser.opts();
  // commander reads --no-install as the opposite of an option called install.
  const valueOf = (key: string) =>
    /^no[A-Z]/.test(key) ? options[`${key[2]?.toLowerCase()}${key.slice(3)}`] === false : options[key];
  return {
    args: Object.fromEntries(Object.keys(command.args).map((name, index) => [name, values[index]])),
    flags: Object.fromEntries(
      Object.entries(command.flags).map(([key, flag]) => [key, valueOf(key) ?? emptyValue(flag)]),
    ),
    globals: Object.fromEntries(
      Object.keys(globalFlags).flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])),
    ),
    help: false,
  };
}

const reasonOf = (message: string, name: string): string => {
  const [first = "", ...more] = message.replace(/^error: /, "").split("\n");
  return `perch ${name}: ${[first, ...more.filter((line) => line !== "")].join(" ")}`;
};

function parserOf(command: Command): Commander {
  const parser = new Commander(command.name)
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  for (const [name, arg] of Object.entries(command.args)) parser.addArgument(new Argument(argText(name, arg)));
  for (const [key, flag] of Object.entries(command.flags)) parser.addOption(optionOf(key, flag));
  for (const [key, flag] of globalFlagEntries) parser.addOption(optionOf(key, flag));
  if (command.passThrough === true) parser.passThroughOptions();
  return parser;
}

/** `<name>`, `[name]`, `<names...>` */
export function argText(name: string, arg: Arg): string {
  const inner = `${name}${arg.many === true ? "..." : ""}`;
  return arg.optional === true ? `[${inner}]` : `<${inner}>`;
}

/** `-n, --last <COUNT>` */
export function flagText(key: string, flag: Flag): string {
  const long = `--${flagName(key)}${flag.type === "boolean" ? "" : ` <${flag.value ?? "VALUE"}>`}`;
  return flag.short === undefined ? long : `-${flag.short}, ${long}`;
}

function optionOf(key: string, flag: Flag): Option {
  const option = new Option(flagText(key, flag));
  if (flag.choices !== undefined) option.choices([...flag.choices]);
  if (flag.type === "integer") option.argParser((text: string) => integer(`--${flagName(key)}`, text, flag));
  if (flag.type === "strings")
    option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  return option;
}

function integer(what: string, text: string, { min = 0, max = Number.MAX_SAFE_INTEGER }: Flag): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw fail("size_invalid", {
    what,
    value: text.slice(0, 40),
    why: `it is no whole number from ${min}${max === Number.MAX_SAFE_INTEGER ? " upwards" : ` to ${max}`}`,
  });
}
