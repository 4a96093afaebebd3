import { beforeAll, describe, expect, it } from "vitest";
import type { Command } from "../../src/cli/command.ts";
import { commandNames, loadAll } from "../../src/cli/commands.ts";
import { find } from "../../src/cli/find.ts";
import { commandHelp, groupHelp, groupSummaries, usageLine, wrap } from "../../src/cli/help.ts";
import { parse } from "../../src/cli/parse.ts";
import { subjectFirst } from "../../src/cli/subject-first.ts";
import { checkRegion } from "../../src/model/name.ts";

/** The words of a line as a shell makes them, from perch to where its output or the line ends. */
function wordsOf(line: string): string[] {
  const after = /(?:^|\()(?:\w+=\S+ )?perch (.*)/.exec(line)?.[1] ?? "";
  const words: string[] = [];
  for (const [whole, single, double] of after.matchAll(/'([^']*)'|"([^"]*)"|[<>|)]|[^\s'"<>|)]+/g)) {
    if (/^[<>|)]$/.test(whole)) break;
    words.push(single ?? double ?? whole);
  }
  return words;
}

let commands: Command[] = [];
beforeAll(async () => {
  commands = await loadAll();
});

describe("every command", () => {
  it("shows its summary, usage, arguments, flags and examples in its help", () => {
    expect(commands.length).toBeGreaterThan(40);
    for (const command of commands) {
      const help = commandHelp(command);
      expect(help.startsWith(`${command.summary}\n`)).toBe(true);
      expect(help).toContain(`Usage:\n  ${usageLine(command)}\n`);
      expect(help).toContain("-h, --help");
      for (const example of command.examples) expect(help).toContain(`  ${example}`);
      for (const line of help.split("\n")) expect(line).toBe(line.trimEnd());
    }
  });

  it("has examples that the parser takes, the first of them of the command itself", () => {
    for (const command of commands) {
      expect(command.examples.length, command.name).toBeGreaterThan(0);
      for (const [index, example] of command.examples.entries()) {
        const words = wordsOf(example);
        const found = find(words, commandNames);
        expect(found, example).toMatchObject({ kind: "command", ...(index === 0 ? { name: command.name } : {}) });
        const meant =
          found.kind === "command" ? commands.find((candidate) => candidate.name === found.name) : undefined;
        if (found.kind !== "command" || meant === undefined) continue;
        const { args, flags, help } = parse(meant, subjectFirst(meant, found.rest));
        expect(help, example).toBe(false);
        if (meant.needs.includes("cluster") || meant.needs.includes("app"))
          expect(flags["app"] ?? args["cluster"], example).toBeDefined();
        for (const region of [flags["region"]].filter((value) => typeof value === "string"))
          expect(checkRegion(region), example).toBe(region);
      }
    }
  });

  it("has --json, but for those that hand the terminal to another program or print what is no value", () => {
    expect(commands.filter(({ needs }) => !needs.includes("json")).map(({ name }) => name)).toEqual([
      // They tell what is being done, line by line.
      "quickstart",
      "up",
      "down",
      // What they print is another program's.
      "run",
      "shell",
      "postgres connect",
      // systemd types it.
      "systemd stop",
      // It prints a script.
      "completion",
    ]);
  });

  it("that takes a secret as an argument says who sees it there, and takes it from stdin", () => {
    const taking = commands.flatMap(({ name, flags, details = "" }) => [
      ...Object.entries(flags).flatMap(([flag, { type, summary }]) =>
        flag === "password" && type === "string" ? [{ name, text: summary }] : [],
      ),
      ...(name === "secrets set" ? [{ name, text: details }] : []),
    ]);
    expect(taking.map(({ name }) => name)).toEqual([
      "secrets set",
      "postgres create",
      "postgres users create",
      "postgres users rotate",
    ]);
    for (const { name, text } of taking) {
      expect(text, name).toMatch(/\bstdin\b/);
      expect(text, name).toContain("visible in the process list");
    }
  });

  it("has a sentence of its own, without a full stop, and flags whose short forms are used once", () => {
    expect(new Set(commands.map(({ summary }) => summary)).size).toBe(commands.length);
    for (const { summary, flags, name } of commands) {
      expect(summary, name).toMatch(/^[A-Z].*[^.]$/);
      const short = Object.values(flags).flatMap((flag) => (flag.short === undefined ? [] : [flag.short]));
      expect(new Set(short).size, name).toBe(short.length);
      for (const flag of Object.values(flags)) expect(flag.summary, name).not.toBe("");
    }
  });
});

describe("the help of a noun", () => {
  it("lists what is below it, and every noun has a summary", () => {
    expect(groupHelp("postgres db", commands)).toMatch(
      /postgres db list +List[\s\S]*postgres db create +Create[\s\S]*postgres db drop +Drop/,
    );
    const nouns = new Set(
      commandNames.filter((name) => name.includes(" ")).map((name) => name.slice(0, name.lastIndexOf(" "))),
    );
    expect([...nouns].filter((noun) => groupSummaries[noun] === undefined)).toEqual([]);
  });

  it("of perch itself begins with the quickstart", () => {
    expect(groupHelp("", commands)).toMatch(/Commands:\n {2}quickstart[\s\S]*Begin with:\n {2}perch quickstart/);
  });
});

it("text is wrapped at spaces only", () => {
  expect(wrap("one two three four", 9)).toBe("one two\nthree\nfour");
  expect(wrap("averylongword x", 5)).toBe("averylongword\nx");
});
