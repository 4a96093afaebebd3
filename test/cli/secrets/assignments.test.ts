import { describe, expect, it } from "vitest";
import { parseArgument, parseAssignments } from "../../../src/cli/secrets/assignments.ts";

const wrong = (code: string, text?: string) =>
  expect.objectContaining({
    code,
    ...(text === undefined ? {} : { message: expect.stringContaining(text) as string }),
  }) as Error;

describe("an argument of secrets set", () => {
  it("is cut at its first =, and its value is taken as it stands", () => {
    expect(parseArgument("A=b=c")).toEqual({ name: "A", value: "b=c" });
    expect(parseArgument('A= "x" \n')).toEqual({ name: "A", value: ' "x" \n' });
    expect(parseArgument("A=")).toEqual({ name: "A", value: "" });
    expect(parseArgument("A=-")).toEqual({ name: "A", from: "stdin" });
  });

  it("without = is refused, and not repeated, for it may be a secret", () => {
    expect(() => parseArgument("hunter2")).toThrow(wrong("secret_pair_invalid"));
    expect(() => parseArgument("hunter2")).not.toThrow(/hunter2/);
  });

  it.each(["FLY_X=1", "PERCH_HOME=1", "1A=1", "A B=1", "=1", "Ä=1"])("%s has no valid name", (argument) => {
    expect(() => parseArgument(argument)).toThrow(wrong("secret_name_invalid"));
  });

  it("may have 64 KiB and no more", () => {
    expect(parseArgument(`A=${"x".repeat(65_536)}`)).toHaveProperty("name", "A");
    expect(() => parseArgument(`A=${"x".repeat(65_537)}`)).toThrow(wrong("secret_too_large"));
  });
});

describe("lines of assignments", () => {
  it.each<[string, string, Record<string, string>]>([
    ["plain pairs", "A=1\nB=two words\n", { A: "1", B: "two words" }],
    ["comments and empty lines", "# A=1\n\n   # B=2\nC=3 # no comment\n", { C: "3 # no comment" }],
    [
      "quotes of both kinds, and one that is part of the value",
      `A="x y"\nB='z'\nC="open\nD=it's`,
      { A: "x y", B: "z", C: '"open', D: "it's" },
    ],
    ["Windows line ends and a byte order mark", "\uFEFFA=1\r\nB=2\r\n", { A: "1", B: "2" }],
    ["export, and spaces around", "export A=1\n  B = 2 ", { A: "1", B: "2" }],
    ["a name twice: the last counts", "A=1\nA=2", { A: "2" }],
    ["an empty value", 'A=\nB=""', { A: "", B: "" }],
    [
      "many lines between triple quotes",
      'A="""\none\n  # two\nthree=3\n"""\nB=2',
      { A: "one\n  # two\nthree=3", B: "2" },
    ],
    ["triple quotes that begin and end on the lines of the value", 'A="""one\ntwo"""', { A: "one\ntwo" }],
    ["triple quotes on one line", 'A="""say "hi" now"""', { A: 'say "hi" now' }],
    ["empty lines inside triple quotes", 'A="""\n\nx\n\n"""', { A: "\nx\n" }],
    ["nothing", "", {}],
  ])("read %s", (_, text, expected) => {
    expect(parseAssignments(text)).toEqual(expected);
  });

  it("name the line that is wrong, never what stands in it", () => {
    expect(() => parseAssignments("A=1\nhunter2")).toThrow(wrong("secret_pair_invalid", "line 2 has no ="));
    expect(() => parseAssignments('A=1\nB="""\nx')).toThrow(wrong("secret_pair_invalid", "line 2 is never closed"));
    expect(() => parseAssignments('A="""x""" y')).toThrow(wrong("secret_pair_invalid", "line 1 goes on"));
    expect(() => parseAssignments("FLY_A=1")).toThrow(wrong("secret_name_invalid"));
  });

  it("cannot reach the prototype of an object by a name", () => {
    expect(Object.keys(parseAssignments("__proto__=1\nconstructor=2"))).toEqual(["__proto__", "constructor"]);
  });
});
