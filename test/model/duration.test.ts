import { expect, it } from "vitest";
import { parseDuration } from "../../src/model/duration.ts";

it.each([
  ["30m", 1_800_000],
  ["12h", 43_200_000],
  ["90d", 7_776_000_000],
  ["3650d", 315_360_000_000],
])("%s is a time", (text, ms) => {
  expect(parseDuration(text, "--expires")).toBe(ms);
});

it.each(["", "0d", "5", "d", "1.5h", "-1d", "3651d", "1y", " 1d", "9999999d"])("%j is none", (text) => {
  expect(() => parseDuration(text, "--expires")).toThrow(/--expires .*30m, 12h or 90d/);
});
