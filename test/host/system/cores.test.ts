import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withoutCores } from "../../../src/host/system/cores.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { missingTools } from "../../support/tools.ts";

/** What a program leaves in its directory when it dies of SIGSEGV, though its shell allowed it a core of any size. */
function leftBy(wrap: (argv: string[]) => string[]): string[] {
  const cwd = temporaryDirectory();
  const allowing = ["-c", 'ulimit -c "$(ulimit -H -c)"; exec "$@"', "perch"];
  expect(spawnSync("sh", [...allowing, ...wrap(["sh", "-c", "kill -SEGV $$"])], { cwd }).signal).toBe("SIGSEGV");
  return readdirSync(cwd);
}

describe.skipIf(missingTools("prlimit"))("a program that leaves no core", () => {
  it("leaves none where the kernel would write one beside it", () => {
    const written = /^[^|/]/.test(readFileSync("/proc/sys/kernel/core_pattern", "utf8"));
    const allowed = spawnSync("sh", ["-c", "ulimit -H -c"]).stdout.toString().trim() !== "0";
    expect(leftBy((argv) => argv)).toHaveLength(written && allowed ? 1 : 0);
    expect(leftBy(withoutCores)).toEqual([]);
  });

  it("has a limit that stops pipes to crash reporters, too, soft and hard, and so has what it starts", () => {
    const [program = "", ...rest] = withoutCores([
      "sh",
      "-c",
      "grep core /proc/$$/limits; sh -c 'grep core /proc/$$/limits'",
    ]);
    const lines = spawnSync(program, rest).stdout.toString().trim().split("\n");
    expect(lines.map((line) => line.split(/\s{2,}/).slice(1, 3))).toEqual([
      ["1", "1"],
      ["1", "1"],
    ]);
  });

  it("keeps its arguments as they are, and its exit code", () => {
    const [program = "", ...rest] = withoutCores(["sh", "-c", 'printf "%s|" "$@"; exit 7', "sh", "a b", "", "$HOME"]);
    const ended = spawnSync(program, rest);
    expect([ended.status, ended.stdout.toString()]).toEqual([7, "a b||$HOME|"]);
  });
});
