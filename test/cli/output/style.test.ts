import { describe, expect, it } from "vitest";
import { forTerminal, styleOf } from "../../../src/cli/output/style.ts";

describe("colours", () => {
  it.each<[string, boolean, NodeJS.ProcessEnv, boolean]>([
    ["are there on a terminal", true, {}, true],
    ["are not there elsewhere", false, {}, false],
    ["are not there with NO_COLOR, whatever its value", true, { NO_COLOR: "0" }, false],
    ["are there with an empty NO_COLOR", true, { NO_COLOR: "" }, true],
    ["are not there on a dumb terminal", true, { TERM: "dumb" }, false],
    ["can be forced, but not against NO_COLOR", false, { FORCE_COLOR: "1" }, true],
    ["lose to NO_COLOR when both are set", false, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("%s", (_, isTTY, env, coloured) => {
    expect(forTerminal(styleOf(isTTY, env).red("x"))).toBe(coloured ? "\u001b[31mx\u001b[39m" : "x");
  });
});

describe("text from elsewhere", () => {
  it.each([
    ["colours and cursors", "\u001b[31mred\u001b[2J\u001b[H", "\\u{1b}[31mred\\u{1b}[2J\\u{1b}[H"],
    [
      "a title and a link",
      "\u001b]0;x\u0007\u001b]8;;http://x\u001b\\y",
      "\\u{1b}]0;x\\u{7}\\u{1b}]8;;http://x\\u{1b}\\y",
    ],
    ["controls of the second set", "\u009b2Ja\u0085b", "\\u{9b}2Ja\\u{85}b"],
    ["what goes back over a line", "well\rfail\b\u007f", "well\\u{d}fail\\u{8}\\u{7f}"],
    ["what turns the direction", "a\u202eb\u2066c\u2028d", "a\\u{202e}b\\u{2066}c\\u{2028}d"],
  ])("is shown, not obeyed: %s", (_, text, shown) => {
    expect(forTerminal(text)).toBe(shown);
    const { red } = styleOf(true, {});
    expect(forTerminal(red(text))).toBe(`\u001b[31m${shown}\u001b[39m`);
  });

  it("keeps its lines, tabs and letters of every language", () => {
    const text = "a\tb\nünïcode 日本語 ✓ 🐘\n";
    expect(forTerminal(text)).toBe(text);
  });
});
