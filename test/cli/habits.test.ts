import { describe, expect, it } from "vitest";
import { commandNames } from "../../src/cli/commands.ts";
import { find } from "../../src/cli/find.ts";
import { habitOf, habitPhrases, mistakeIn, synonymPhrases } from "../../src/cli/habits.ts";

describe("what other tools are asked for", () => {
  it.each(habitPhrases)("%s is no command of ours, and is answered with commands that are", (phrase) => {
    const words = phrase.split(" ");
    const answer = habitOf(words) ?? "";
    expect(find(words, commandNames)).toMatchObject({ kind: "unknown", instead: answer });
    for (const [, named = ""] of answer.matchAll(/perch ((?:[a-z-]+ ?)+)/g))
      expect(find(named.trim().split(" "), commandNames).kind).toBe("command");
  });

  it("is known by its longest beginning, and by no word of an object's own", () => {
    expect(habitOf(["scale", "show", "-a", "web"])).toBe(habitOf(["scale", "show"]));
    expect(habitOf(["scale", "vm", "shared-cpu-1x"])).toBe(habitOf(["scale"]));
    expect([habitOf([]), habitOf(["constructor"]), habitOf(["__proto__", "x"])]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("what means one of our commands in other words", () => {
  it.each(synonymPhrases)("%s runs it", (phrase) => {
    const found = find([...phrase.split(" "), "more"], commandNames);
    if (found.kind === "command") expect(found.rest).toEqual(["more"]);
    // A noun: what is typed behind it is its verb.
    else
      expect(found).toMatchObject({
        kind: "unknown",
        word: "more",
        prefix: expect.stringMatching(/^postgres( db| users)?$/) as string,
      });
  });

  it.each([
    ["pg logs -f", "logs", ["-f"]],
    ["pg events list -a pg", "events", ["-a", "pg"]],
    ["regions list", "platform regions", []],
    ["db list -a pg", "postgres db list", ["-a", "pg"]],
    ["pg:psql -a pg", "postgres connect", ["-a", "pg"]],
    ["postgres:link pg web", "postgres attach", ["pg", "web"]],
    ["secrets:set A=1", "secrets set", ["A=1"]],
    ["pg help create", "postgres create", ["--help"]],
  ])("%s is %s", (line, name, rest) => {
    expect(find(line.split(" "), commandNames)).toEqual({ kind: "command", name, rest });
  });

  it("is no word with a colon that is more than words", () => {
    for (const word of ["http://x", "a:", ":a", "A:b", "db.example.com:6643"])
      expect(find([word], commandNames), word).toMatchObject({ kind: "unknown", word });
    expect(find(["config:set", "A=1"], commandNames)).toMatchObject({
      instead: expect.stringContaining("perch secrets set") as string,
    });
    expect(find(["pg", "help"], commandNames)).toEqual({ kind: "group", prefix: "postgres", rest: ["--help"] });
  });
});

describe("what a command does not take", () => {
  it.each([
    ["up", "-d", "without flags"],
    ["up", "web", "perch machine start"],
    ["down", "-v", "perch postgres destroy"],
    ["down", "pg", "perch machine stop"],
    ["run", "-it web bash", "perch run -a APP"],
    ["postgres attach", "-a web --postgres-app=pg", "perch postgres attach CLUSTER --app APP"],
    ["postgres create", "--name pg --vm-size shared-cpu-1x", "without that flag"],
  ])("perch %s %s", (name, line, expected) => {
    expect(mistakeIn(name, line.split(" "))).toContain(expected);
  });

  it("is unknown of other commands and words", () => {
    expect([mistakeIn("up", []), mistakeIn("apps list", ["-d"]), mistakeIn("down", ["--force"])]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
