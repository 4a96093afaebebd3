import { expect, it } from "vitest";
import { counted } from "../../src/base/count.ts";

it.each([
  [0, "0 answers"],
  [1, "1 answer"],
  [2, "2 answers"],
])("%i is told as people say it", (count, text) => {
  expect(counted(count, "answer")).toBe(text);
});
