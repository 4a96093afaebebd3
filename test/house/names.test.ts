import { expect, it } from "vitest";
import { files, read, trackedThoughIgnored } from "./files.ts";

const code = files(/^(src|test|scripts|bench)\/.*\.(ts|tsx|mjs)$/);

it("no file or folder is named for nothing in particular", () => {
  expect(code.length, "files seen").toBeGreaterThan(30);
  const vague = /(^|\/)(utils?|common|helpers?|misc|shared)(\/|\.|$)/;
  expect(code.filter((path) => vague.test(path))).toEqual([]);
});

it("nothing is tracked that .gitignore names", () => {
  const tracked = trackedThoughIgnored();
  expect(tracked.slice(0, 5), `${tracked.length} in all`).toEqual([]);
});

it("no source holds a mark in place of work", () => {
  const marked = code.filter((path) => path.startsWith("src/") && /\b(TODO|FIXME|XXX|HACK)\b/.test(read(path)));
  expect(marked).toEqual([]);
});

it("a lint rule is switched off with its reason only", () => {
  const silent = code.flatMap((path) =>
    read(path)
      .split("\n")
      .filter((line) => /\/[/*]\s*(oxlint|eslint)-disable/.test(line) && !/--\s*\S/.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
  expect(silent).toEqual([]);
});
