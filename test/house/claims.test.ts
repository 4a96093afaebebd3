import { describe, expect, it } from "vitest";
import { files, read } from "./files.ts";

/**
 * A claim of docs/security.md is a row of a table, and its last cell names the tests that try it: `[file](path)
 * *title*`.
 */
const rows = read("docs/security.md")
  .split("\n")
  .filter((line) => line.startsWith("| ") && line.includes("](../test/"));
const named = rows.flatMap((row) =>
  [...row.matchAll(/\]\(\.\.\/(test\/[^)]+)\) \*([^*]+)\*/g)].map(([, path = "", title = ""]) => ({ path, title })),
);

/** Whether the file has a test, or a fuzzer a claim, of that title. */
const says = (source: string, title: string): boolean =>
  ['"', "`"].some((quote) => source.includes(`${quote}${title}${quote}`));

describe("the claims of docs/security.md", () => {
  it("each name a test that tries it, and that test is there", () => {
    expect(named.length).toBeGreaterThan(30);
    expect(rows.filter((row) => !/\]\(\.\.\/test\/[^)]+\) \*[^*]+\*/.test(row))).toEqual([]);
    const there = new Set(files(/^test\/.*(\.test|\/targets\/[^/]+)\.ts$/));
    const lost = named.filter(({ path, title }) => !there.has(path) || !says(read(path), title));
    expect(lost.map(({ path, title }) => `${path}: ${title}`)).toEqual([]);
  });

  it("leave no claim without a test: every row of a table that is headed “tried by” names one", () => {
    const text = read("docs/security.md").split("\n");
    const claims = text.flatMap((line, index) => {
      if (!/\| tried by \|$/.test(line)) return [];
      const rest = text.slice(index + 2);
      const end = rest.findIndex((row) => !row.startsWith("|"));
      return end === -1 ? rest : rest.slice(0, end);
    });
    expect(claims.length).toBeGreaterThan(30);
    expect(claims.filter((claim) => !rows.includes(claim))).toEqual([]);
  });
});
