import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import type { Command } from "../../src/cli/command.ts";
import { loadAll } from "../../src/cli/commands.ts";
import { completionScript, places } from "../../src/cli/completion.ts";

let commands: Command[] = [];
beforeAll(async () => {
  commands = await loadAll();
});

/** What bash offers at the end of a line: asked of the script itself, in a real bash. */
function offered(line: string): string[] {
  const script = `${completionScript("bash", commands)}
COMP_WORDS=(${line
    .split(" ")
    .map((word) => `'${word}'`)
    .join(" ")})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_perch
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-c", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((word) => word !== "");
}

describe("completion", () => {
  it("knows a place for every command and every way to write it", () => {
    const paths = places(commands).map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(["", "pg", "postgres create", "pg db ls", "postgres databases list", "machines rm"]),
    );
    expect(new Set(paths).size).toBe(paths.length);
  });

  it.each<[string, string[]]>([
    ["perch sta", ["status"]],
    ["perch pg cr", ["create"]],
    ["perch postgres users ", ["list", "create", "drop", "rotate"]],
    ["perch pg db ls --j", ["--json"]],
    ["perch apps destroy web --y", ["--yes"]],
    ["perch machine clone abc --region l", ["lax", "lhr"]],
    ["perch pg attach pg --scheme ", ["postgres", "postgresql"]],
    ["perch quickstart --no", ["--no-install"]],
    ["perch nonsense ", []],
  ])("in bash offers for %j what fits", (line, words) => {
    const all = offered(line);
    expect(all).toEqual(line.startsWith("perch nonsense") ? expect.arrayContaining(["status"]) : words);
  });

  it("for zsh and fish is written from the same places", () => {
    expect(completionScript("zsh", commands)).toMatch(/^#compdef perch\n[\s\S]*bashcompinit/);
    const fish = completionScript("fish", commands);
    for (const { path } of places(commands)) expect(fish).toContain(`case '${path}'`);
  });
});
