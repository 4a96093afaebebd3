import { describe, expect, it } from "vitest";
import { leadingGlobals } from "../../src/cli/leading-globals.ts";

describe("flags of every command", () => {
  it.each<[string[], object, string[]]>([
    [["status"], {}, ["status"]],
    [["--network", "blue", "status", "--json"], { network: "blue" }, ["status", "--json"]],
    [["--host=db:6643", "--network=blue", "apps", "list"], { host: "db:6643", network: "blue" }, ["apps", "list"]],
    [["--json", "--network", "blue"], {}, ["--json", "--network", "blue"]],
    [["run", "--", "--network", "blue"], {}, ["run", "--", "--network", "blue"]],
    [["--constructor", "x"], {}, ["--constructor", "x"]],
  ])("may stand before its name: %j", (words, globals, rest) => {
    expect(leadingGlobals(words)).toEqual({ globals, rest });
  });

  it("need their value", () => {
    expect(() => leadingGlobals(["--network"])).toThrow("option '--network' lacks its value");
  });
});
