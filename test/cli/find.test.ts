import { describe, expect, it } from "vitest";
import { commandNames } from "../../src/cli/commands.ts";
import { below, find, isSimilar } from "../../src/cli/find.ts";

const found = (...words: string[]) => find(words, commandNames);

describe("finding a command", () => {
  it.each<[string, string, string[]]>([
    ["status", "status", []],
    ["postgres create --name pg", "postgres create", ["--name", "pg"]],
    ["pg ls --json", "postgres list", ["--json"]],
    ["pg users rotate web", "postgres users rotate", ["web"]],
    ["pg databases ls", "postgres db list", []],
    ["postgres config view", "postgres config show", []],
    ["machines rm abc", "machine destroy", ["abc"]],
    ["app create web", "apps create", ["web"]],
    ["secret set A=1", "secrets set", ["A=1"]],
    ["regions", "platform regions", []],
    ["run -- ls -l", "run", ["--", "ls", "-l"]],
    ["run ls ls", "run", ["ls", "ls"]],
    ["ps", "status", []],
    ["start", "up", []],
    ["stop --json", "down", ["--json"]],
    ["psql -a pg", "postgres connect", ["-a", "pg"]],
    ["ssh -a web", "shell", ["-a", "web"]],
    ["ssh console -a web", "shell", ["-a", "web"]],
    ["postgres delete pg", "postgres destroy", ["pg"]],
    ["pg users delete web", "postgres users drop", ["web"]],
    ["secrets rm A", "secrets unset", ["A"]],
    ["wg delete laptop", "wireguard remove", ["laptop"]],
    ["tokens rm 1", "tokens revoke", ["1"]],
  ])("perch %s", (line, name, rest) => {
    expect(found(...line.split(" "))).toEqual({ kind: "command", name, rest });
  });

  it("stops at a noun alone, and at a flag", () => {
    expect(found()).toEqual({ kind: "group", prefix: "", rest: [] });
    expect(found("--help")).toEqual({ kind: "group", prefix: "", rest: ["--help"] });
    expect(found("pg", "db", "-h")).toEqual({ kind: "group", prefix: "postgres db", rest: ["-h"] });
  });

  it("suggests what may have been meant", () => {
    expect(found("statsu")).toMatchObject({ kind: "unknown", word: "statsu", prefix: "", similar: ["status"] });
    expect(found("pgg")).toMatchObject({ similar: ["postgres"] });
    expect(found("postgres", "creat")).toMatchObject({ prefix: "postgres", similar: ["postgres create"] });
    expect(found("attach", "pg")).toMatchObject({ word: "attach", similar: ["postgres attach"] });
    expect(found("clone")).toMatchObject({ similar: ["machine clone"] });
    expect(found("PG", "list")).toMatchObject({ word: "PG", similar: ["postgres"] });
    for (const word of ["zzz", "", "a", "pf", "ünïcode"])
      expect(found(word), word).toMatchObject({ word, similar: [] });
  });

  it("names what does here what another tool's word asks for", () => {
    expect(found("scale", "count", "2")).toMatchObject({
      kind: "unknown",
      similar: [],
      instead: expect.stringContaining("perch machine clone") as string,
    });
    expect(found("apps", "open", "web")).toMatchObject({
      prefix: "apps",
      word: "open",
      instead: expect.stringContaining("--publish") as string,
    });
    expect(found("m", "restart")).toMatchObject({
      instead: expect.stringContaining("perch postgres restart") as string,
    });
  });

  it("takes no word of an object's own for an alias", () => {
    for (const word of ["constructor", "toString", "__proto__"]) expect(found(word)).toMatchObject({ kind: "unknown" });
  });

  it("knows what stands below a noun", () => {
    expect([...below("machine", commandNames)]).toEqual(["list", "clone", "start", "stop", "destroy"]);
  });
});

describe("similar words", () => {
  it.each([
    ["lsit", "list", true],
    ["lst", "list", true],
    ["listt", "list", true],
    ["lost", "list", true],
    ["dest", "destroy", true],
    ["list", "lost", true],
    ["create", "destroy", false],
    ["a", "list", false],
  ])("%s and %s: %s", (typed, word, similar) => {
    expect(isSimilar(typed, word)).toBe(similar);
  });
});
