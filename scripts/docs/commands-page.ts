import type { Command } from "../../src/cli/command.ts";
import { aliasLines, argRows, flagRows, globalRows, groupSummaries, usageLine } from "../../src/cli/help.ts";
import { cell, tableOf } from "./markdown.ts";

/** docs/commands.md: every command as its help shows it. Pure. */
export function commandsPage(commands: readonly Command[]): string {
  const groupOf = (command: Command | undefined) =>
    command?.name.slice(0, Math.max(0, command.name.lastIndexOf(" "))) ?? "";
  const overview = commands.map(({ name, summary }): [string, string] => [
    `[\`perch ${name}\`](#perch-${name.replaceAll(" ", "-")})`,
    summary,
  ]);
  return [
    "# Commands",
    "",
    "Written from the code by `npm run docs`.",
    "",
    "Results go to stdout; progress, remarks, questions and errors to stderr. With `--json`, stdout holds exactly one JSON value and nothing else (a feed that",
    'is followed has no end: one value a line); an error is then one JSON value on stderr, `{"error": {"code", "message", "next"}}`, and stdout stays empty.',
    "`NO_COLOR` is honoured. What cannot be undone asks first at a terminal, and needs `--yes` elsewhere.",
    "",
    ...tableOf(
      ["exit code", "meaning"],
      [
        ["0", "done"],
        ["1", "failed; the error says why and what to do next ([all of them](errors.md))"],
        ["2", "asked wrongly: unknown command or flag, a name that is not valid, a missing `--yes`"],
        ["130", "interrupted by Ctrl-C (143 by SIGTERM), and undone where it was half done"],
        [
          "other",
          "of `perch run`, `perch shell` and `perch postgres connect`: that of the program; 126 and 127 as in a shell",
        ],
      ],
    ),
    "",
    "`PERCH_HOME` is the directory of all state: `/var/lib/perch` for root, else `~/.perch`. Two homes share nothing; one home may have several networks.",
    "",
    ...tableOf(
      ["flag of every command", "meaning"],
      globalRows().map(([written, meaning]) => [`\`${cell(written.trim())}\``, cell(meaning)]),
    ),
    "",
    ...tableOf(["command", "what it does"], overview),
    ...commands.flatMap((command, index) => [
      ...(groupOf(command) === "" || groupOf(command) === groupOf(commands[index - 1])
        ? []
        : ["", `## ${groupSummaries[groupOf(command)]}`]),
      ...section(command),
    ]),
    "",
  ].join("\n");
}

function section(command: Command): string[] {
  const aliases = aliasLines(command.name);
  const rows = [...argRows(command), ...flagRows(command)].map(([written, meaning]): [string, string] => [
    `\`${written.trim()}\``,
    meaning,
  ]);
  return [
    "",
    `${command.name.includes(" ") ? "###" : "##"} perch ${command.name}`,
    "",
    `${command.summary}.${command.details === undefined ? "" : ` ${command.details}`}`,
    "",
    "```",
    usageLine(command),
    "```",
    ...(rows.length === 0
      ? []
      : [
          "",
          ...tableOf(
            ["argument or flag", "meaning"],
            rows.map(([written, meaning]) => [cell(written), cell(meaning)]),
          ),
        ]),
    ...(aliases.length === 0 ? [] : ["", `Also: ${aliases.map((alias) => `\`${alias}\``).join(", ")}`]),
    "",
    "```sh",
    ...command.examples,
    "```",
  ];
}
