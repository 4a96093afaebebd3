import { describe, expect, it } from "vitest";
import { publishedPort } from "../../../src/cli/run/publish.ts";

describe("--publish", () => {
  it.each([
    ["3000", { outside: 3000, inside: 3000 }],
    ["8080:3000", { outside: 8080, inside: 3000 }],
    ["0:3000", { outside: 0, inside: 3000 }],
  ])("%s", (text, meant) => {
    expect(publishedPort(text)).toEqual(meant);
  });

  it.each([["0"], [""], ["x"], ["3000:"], [":3000"], ["70000"], ["1:2:3"], ["3000:0"]])("%s is refused", (text) => {
    expect(() => publishedPort(text)).toThrow(expect.objectContaining({ code: "publish_invalid" }));
  });
});
