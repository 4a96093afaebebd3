#!/usr/bin/env node
import { PerchError, fail, toPerchError } from "../errors/error.ts";
import { shownJson } from "../errors/shown.ts";
import type { Answer, Command, Globals } from "./command.ts";
import { commandNames, loadAll, loadCommand } from "./commands.ts";
import { errorText, exitCodeOf } from "./exit-code.ts";
import { find } from "./find.ts";
import { mistakeIn } from "./habits.ts";
import { leadingGlobals } from "./leading-globals.ts";
import { processTerminal, type Terminal } from "./output/terminal.ts";
import { forTerminal, styleOf } from "./output/style.ts";
import { parseNothing } from "./parse-nothing.ts";
import { perchVersion } from "../host/system/version.ts";
import { calledAsVariable, inNameOf, programName } from "./program.ts";
import { subjectFirst } from "./subject-first.ts";

/** The program: words in, an exit code out. What a command is stands in `command.ts`. */

/** The command that was found, and the words that named it as they were typed: `pg connect`. */
let typed: { command: Command; words: readonly string[]; rest: readonly string[] } | undefined;
/** The noun that was typed alone. */
let group = "perch";
let interruptedBy: "SIGINT" | "SIGTERM" | undefined;

async function main(argv: readonly string[]): Promise<number> {
  const { globals, rest } = leadingGlobals(argv);
  if (/^(--version|-v|-V)$/.test(rest[0] ?? "")) return main(["version", ...rest.slice(1)]);
  const [first, second = "-"] = rest;
  if (first === "help" || (/^(--help|-h)$/.test(first ?? "") && !second.startsWith("-")))
    return main([...rest.slice(1), "--help"]);
  const found = find(rest, commandNames);
  if (found.kind === "command") {
    const command = await loadCommand(found.name);
    typed = { command, words: rest.slice(0, rest.length - found.rest.length), rest: found.rest };
    return runCommand(command, subjectFirst(command, found.rest), globals);
  }
  group = `perch ${found.prefix}`.trim();
  if (found.kind === "unknown") {
    throw fail("command_unknown", {
      group,
      word: found.word.slice(0, 40),
      instead:
        found.instead ??
        (found.similar.length === 0 ? `See what there is with: ${group} --help` : meantText(found.similar)),
    });
  }
  const [flag] = found.rest;
  if (flag !== undefined && flag !== "--help" && flag !== "-h")
    throw fail("usage_invalid", { reason: `${group}: unknown option '${flag.slice(0, 40)}'` });
  const { groupHelp } = await import("./help.ts");
  process.stdout.write(`${inNameOf(program, groupHelp(found.prefix, await loadAll()))}\n`);
  return 0;
}

const meantText = (similar: readonly string[]): string =>
  `Did you mean ${similar.map((name, index) => `${index === 0 ? "" : index === similar.length - 1 ? " or " : ", "}perch ${name}`).join("")}?`;

async function runCommand(command: Command, words: readonly string[], leading: Globals): Promise<number> {
  const { contextOf } = await import("./context.ts");
  const parsed =
    (words.length === 0 ? parseNothing(command) : undefined) ?? (await import("./parse.ts")).parse(command, words);
  if (parsed.help) {
    const { commandHelp } = await import("./help.ts");
    process.stdout.write(`${inNameOf(program, commandHelp(command))}\n`);
    return 0;
  }
  const json = parsed.flags["json"] === true;
  const signal = command.ownsTerminal === true ? new AbortController().signal : interrupts();
  const terminal = processTerminal({ quiet: json, signal });
  const target =
    command.alone === true ? undefined : await targetOf(command, { ...leading, ...parsed.globals }, terminal);
  try {
    const answer = (await command.run(await contextOf(command, parsed, { terminal, target, signal }))) ?? {};
    terminal.progress.done();
    print(answer, json);
    return (
      answer.exit ??
      (interruptedBy === undefined || answer.json !== undefined || answer.text !== undefined
        ? 0
        : exitCodeOf(undefined, interruptedBy))
    );
  } finally {
    terminal.progress.stop();
  }
}

async function targetOf(command: Command, globals: Globals, terminal: Terminal) {
  const target = await import("./target.ts");
  return target.targetOf(command, globals, process.env, otherVersion(terminal));
}

/** Says once that perchd is of another version, whatever becomes of the command. */
function otherVersion(terminal: Terminal): (version: string) => void {
  let said = false;
  return (version) => {
    if (said || version === perchVersion()) return;
    said = true;
    terminal.note(
      `perchd is version ${version}, this perch is ${perchVersion()}: to put this one in its place, type: perch up`,
    );
  };
}

function print(answer: Answer, json: boolean): void {
  if (json && answer.json !== undefined) process.stdout.write(`${shownJson(answer.json, 2)}\n`);
  else if (!json && answer.text !== undefined && answer.text !== "")
    process.stdout.write(forTerminal(answer.text.endsWith("\n") ? answer.text : `${answer.text}\n`));
}

/** The first Ctrl-C asks for an orderly end; the second does not wait for it. */
function interrupts(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (interruptedBy !== undefined) process.exit(exitCodeOf(undefined, name));
      interruptedBy = name;
      stop.abort();
    });
  }
  return stop.signal;
}

/** Writes that are still under way reach the pipe before the end. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => void stream.write("", () => resolve()));

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Of results their reader may have enough (`perch events | head -1`); that remarks are not read changes nothing of
    // what is done, nor of how it ends.
    if (error.code === "EPIPE" && stream === process.stderr) return;
    if (error.code === "EPIPE") process.exit(0);
    if (stream === process.stdout)
      process.stderr.write(
        errorText(fail("internal", { why: `its output cannot be written: ${error.message}` }), false),
      );
    process.exit(1);
  });
}

const program = programName(process.env, process.argv[1]);
// Nothing that we start is called so.
delete process.env[calledAsVariable];

/** Ends the process. */
async function begin(argv: readonly string[]): Promise<never> {
  try {
    process.exitCode = await main(argv);
  } catch (error) {
    const known = toPerchError(error);
    const { red } = styleOf(process.stderr.isTTY, process.env);
    process.stderr.write(forTerminal(errorText(asTyped(await withUsage(known)), wantsJson(argv), red)));
    if (process.env["PERCH_DEBUG"] !== undefined)
      process.stderr.write(`${(error instanceof PerchError ? error : known).stack ?? ""}\n`);
    process.exitCode = exitCodeOf(error, interruptedBy);
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit();
}

/** With the line that would have been right in place of a hint at --help: in the words that were typed. */
async function withUsage(error: PerchError): Promise<PerchError> {
  if (error.code !== "usage_invalid") return error;
  if (typed === undefined)
    return withTexts(error, error.message, `Flags stand behind a command; see what there is with: ${group} --help`);
  const { command, rest } = typed;
  const { usageLine } = await import("./help.ts");
  const words = `perch ${typed.words.join(" ")}`;
  const [example = ""] = command.examples;
  const such = example === `perch ${command.name}` ? "" : `for example: ${example}; `;
  const right = `Type: ${usageLine(command, words)}; ${such}or see: ${words} --help`;
  const message = error.message.replace(`perch ${command.name}:`, () => `${words}:`);
  return withTexts(error, message, mistakeIn(command.name, rest) ?? right);
}

/** Of our own text, that which tells what to type: the rest may hold what others wrote. */
function asTyped(error: PerchError): PerchError {
  const ours = error.code === "usage_invalid" || error.code === "command_unknown";
  return withTexts(error, ours ? inNameOf(program, error.message) : error.message, inNameOf(program, error.next));
}

function withTexts(error: PerchError, message: string, next: string): PerchError {
  return new PerchError({ code: error.code, message, next }, error);
}

/** Asked before parsing, too, so that an error in the words themselves is JSON where JSON was asked for. */
function wantsJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? words.length : end).includes("--json") && !/^(run|shell)$/.test(words[0] ?? "");
}

void begin(process.argv.slice(2));
