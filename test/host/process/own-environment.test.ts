import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { carryEnvironment } from "../../../src/host/process/own-environment.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const path = process.env["PATH"] ?? "";

function printed(variables: NodeJS.ProcessEnv, ...command: string[]): string {
  const carried = carryEnvironment(variables, command[0] ?? "");
  const [program = "", ...rest] = [...carried.argv, ...command];
  const ended = spawnSync(program, rest, { env: { PATH: path, ...carried.env }, encoding: "utf8" });
  expect(ended.stderr).toBe("");
  return ended.stdout;
}

describe("the environment of a command", () => {
  it("is given to it whole and to the byte, whatever is in it", () => {
    const odd = {
      PATH: path,
      A: "",
      B: "x \"y\" 'z' $PATH ${PATH} \\c # = \n\t",
      "-v": "--",
      "BASH_FUNC_f%%": "() { :; }",
      _: "1",
      PERCH_PAIR_0: "z",
      ü: "é",
    };
    const pairs = printed(odd, "env", "-0")
      .split("\0")
      .filter((pair) => pair !== "");
    expect(pairs.toSorted()).toEqual(
      Object.entries(odd)
        .map(([name, value]) => `${name}=${value}`)
        .toSorted(),
    );
  });

  it("is in no argument, and under no name that a helper obeys", () => {
    const { argv, env } = carryEnvironment({ LD_PRELOAD: "/evil.so", SECRET: "hush" }, "true");
    expect(argv.join(" ")).not.toMatch(/evil|hush|SECRET|LD_PRELOAD/);
    expect(Object.keys(env)).toEqual(["PERCH_PAIR_0", "PERCH_PAIR_1"]);
  });

  it("is there for a command with a = in its name, too", () => {
    const directory = join(temporaryDirectory(), "a=b");
    mkdirSync(directory);
    writeFileSync(join(directory, "say"), '#!/bin/sh\necho "$SAY $1"\n', { mode: 0o755 });
    expect(printed({ PATH: path, SAY: "it is" }, join(directory, "say"), "me")).toBe("it is me\n");
  });

  it("names the command along the command's own PATH", () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "only-here"), "#!/bin/sh\necho here\n", { mode: 0o755 });
    expect(printed({ PATH: `${directory}:${path}` }, "only-here")).toBe("here\n");
  });
});
