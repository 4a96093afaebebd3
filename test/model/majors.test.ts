import { expect, it } from "vitest";
import { majorsInWords, supportedMajors } from "../../src/model/majors.ts";

it("the supported majors are newest first, and in words oldest first", () => {
  expect(supportedMajors).toEqual(supportedMajors.toSorted((a, b) => b - a));
  expect(majorsInWords.match(/\d+/g)?.map(Number)).toEqual(supportedMajors.toReversed());
  expect(majorsInWords).toMatch(/^\d+(, \d+)* or \d+$/);
});
