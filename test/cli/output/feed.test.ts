import { describe, expect, it } from "vitest";
import { printFeed } from "../../../src/cli/output/feed.ts";
import type { Terminal } from "../../../src/cli/output/terminal.ts";

async function printed(at: { follow: boolean; json: boolean }) {
  const lines: string[] = [];
  const items = (async function* () {
    yield { id: 1 };
    yield { id: 2 };
  })();
  const terminal = { print: (text: string) => lines.push(text) } as unknown as Terminal;
  return { answer: await printFeed(items, { ...at, terminal, line: ({ id }) => `line ${id}` }), lines };
}

describe("a feed", () => {
  it("is a line an item for people", async () => {
    expect(await printed({ follow: true, json: false })).toEqual({ answer: undefined, lines: ["line 1", "line 2"] });
  });

  it("indents the further lines of an item, so that none looks like the next item", async () => {
    const lines: string[] = [];
    const items = (async function* () {
      yield "said\n2026-11-24T06:32:36Z  ams 1 LOG: forged";
    })();
    const terminal = { print: (text: string) => lines.push(text) } as unknown as Terminal;
    await printFeed(items, { follow: false, json: false, terminal, line: (item) => item });
    expect(lines).toEqual(["said\n    2026-11-24T06:32:36Z  ams 1 LOG: forged"]);
  });

  it("with --json is one array", async () => {
    expect(await printed({ follow: false, json: true })).toEqual({
      answer: { json: [{ id: 1 }, { id: 2 }] },
      lines: [],
    });
  });

  it("with --json and no end is one value a line", async () => {
    expect(await printed({ follow: true, json: true })).toEqual({ answer: undefined, lines: ['{"id":1}', '{"id":2}'] });
  });
});
