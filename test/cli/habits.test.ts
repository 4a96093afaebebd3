import { describe, expect, it } from "vitest";
import { commandNames } from "../../src/cli/commands.ts";
import { find } from "../../src/cli/find.ts";
import { habitOf, habitPhrases } from "../../src/cli/habits.ts";

describe("what other tools are asked for", () => {
  it.each(habitPhrases)("%s is no command of ours, and is answered with commands that are", (phrase) => {
    const words = phrase.split(" ");
    const answer = habitOf(words) ?? "";
    expect(find(words, commandNames)).toMatchObject({ kind: "unknown", instead: answer });
    for (const [, named = ""] of answer.matchAll(/perch ((?:[a-z-]+ ?)+)/g)) expect(find(named.trim().split(" "), commandNames).kind).toBe("command");
  });

  it("is known by its longest beginning, and by no word of an object's own", () => {
    expect(habitOf(["scale", "show", "-a", "web"])).toBe(habitOf(["scale", "show"]));
    expect(habitOf(["scale", "vm", "shared-cpu-1x"])).toBe(habitOf(["scale"]));
    expect([habitOf([]), habitOf(["constructor"]), habitOf(["__proto__", "x"])]).toEqual([undefined, undefined, undefined]);
  });
});
