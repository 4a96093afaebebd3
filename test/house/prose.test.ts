import { describe, expect, it } from "vitest";
import { files, read } from "./files.ts";

/** Lines of 120, to be read beside something else. Tables, commands and what a program writes stay as they are. */
const width = 120;
const generated = /^docs\/(commands|errors|api|dependencies)\.md$|^docs\/clients\/|^bench\/results\.md$|^examples\//;

const long = (path: string, counts: (line: string) => boolean): string[] =>
  read(path)
    .split("\n")
    .flatMap((line, index) =>
      [...line].length > width && counts(line) ? [`${path}:${index + 1} has ${[...line].length}`] : [],
    );

/** A table, a picture, a command, or one word that is longer than a line. */
const whole = (line: string): boolean => /^(\||!\[| {4})/.test(line) || /^\s*([-*] )?\S+$/.test(line);

describe("prose is wrapped", () => {
  it("in pages", () => {
    const pages = files(/\.md$/).filter((path) => !generated.test(path));
    expect(pages.length).toBeGreaterThan(50);
    const fenced = (path: string) =>
      new Set(
        read(path)
          .match(/```[\s\S]*?```/g)
          ?.flatMap((block) => block.split("\n")) ?? [],
      );
    expect(pages.flatMap((path) => long(path, (line) => !whole(line) && !fenced(path).has(line)))).toEqual([]);
  });

  it("in comments", () => {
    const code = files(/^(src|test|bench|scripts)\/.*\.(ts|mjs)$/).filter(
      (path) => !path.startsWith("test/support/prisma/"),
    );
    expect(code.length).toBeGreaterThan(500);
    const comment = (line: string) => /^\s*(\*|\/\/|\/\*\*) \S/.test(line) && !/^\s*\* ([|] | {4})/.test(line);
    expect(code.flatMap((path) => long(path, comment))).toEqual([]);
  });
});
