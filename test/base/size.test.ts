import { describe, expect, it } from "vitest";
import { percent, size } from "../../src/base/size.ts";

describe("sizes for people", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 kB"],
    [150 * 1024, "150 kB"],
    [7.3 * 1024 ** 2, "7.3 MB"],
    [5 * 1024 ** 5, "5120 TB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });

  it("are parts of a whole, of which none is all before it is all", () => {
    expect([percent(0, 3), percent(2, 3), percent(1999, 2000), percent(3, 3)]).toEqual([
      "0 %",
      "66 %",
      "99 %",
      "100 %",
    ]);
  });
});
