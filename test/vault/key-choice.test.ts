import { describe, expect, it } from "vitest";
import { chooseKey, type KeyChoice } from "../../src/vault/key-choice.ts";

type Row = [
  now: string | undefined,
  next: string | undefined,
  needed: string | undefined,
  sealed: boolean,
  KeyChoice,
  string,
];
const none = undefined;

const rows: Row[] = [
  [none, none, none, false, "make", "nothing was ever there"],
  ["a", none, none, false, "keep", "the key was made and nothing else yet"],
  ["a", none, none, true, "keep", "a Perch before this one did not write down which key it was"],
  ["a", none, "a", true, "keep", "the usual case"],
  ["b", none, "a", false, "keep", "another key, and nothing to open"],
  [none, none, "a", false, "make", "the key is lost, and nothing with it"],
  [none, none, "a", true, "missing", "the key is lost"],
  [none, none, none, true, "missing", "the key is lost"],
  ["b", none, "a", true, "wrong", "the key of another backup"],
  ["a", "b", "a", true, "back", "killed when the next key was on disk and nothing sealed with it"],
  ["a", "b", none, true, "back", "the same, in a store of a Perch before this one"],
  ["a", "b", "b", true, "forward", "killed when all was sealed with the next key"],
  [none, "b", "b", true, "forward", "the same, and somebody took the old key away"],
  ["a", "b", "b", false, "forward", "the same, and nothing to open"],
  ["a", "b", "c", true, "wrong", "two keys, and neither opens"],
  [none, "b", "a", true, "missing", "the old key was taken away before the next was used"],
];

describe("which key file is the key", () => {
  it.each(rows)("now %s, next %s, needed %s, something sealed %s: %s, for %s", (now, next, needed, sealed, choice) => {
    expect(chooseKey({ now, next, needed, sealed })).toBe(choice);
  });
});
