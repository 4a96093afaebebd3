import { describe, expect, it } from "vitest";
import { styleOf } from "../../../src/cli/output/style.ts";

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
    expect(styleOf(isTTY, env).red("x")).toBe(coloured ? "\u001b[31mx\u001b[39m" : "x");
  });
});
