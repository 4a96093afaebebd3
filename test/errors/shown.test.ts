import { expect, it } from "vitest";
import { shownJson } from "../../src/errors/shown.ts";

it("a value as JSON is the same for a program, and has nothing in it that a terminal obeys", () => {
  const value = { a: "\u001b[2J\u009b\u202e\u2028\u{e0001}\ud800", b: ["\n\t\u007f", 1, null] };
  for (const indent of [undefined, 2]) {
    const text = shownJson(value, indent);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/u);
  }
});
