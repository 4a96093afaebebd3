import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runToEnd, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { root } from "./files.ts";

/**
 * The checks that need a program of their own. Each says how many files it saw, because a checker that sees none is
 * always content.
 */
const bin = (program: string): string => join(root, "node_modules/.bin", program);
const check = (program: string, ...args: string[]) => runToEnd([bin(program), ...args], { cwd: root });
const seen = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);

describe("the code", () => {
  it("has no type error", async () => {
    const result = await check("tsc", "-p", "tsconfig.json", "--listFiles", "--pretty", "false");
    const errors = result.stdout.split("\n").filter((line) => / error TS\d+/.test(line));
    const own = result.stdout.split("\n").filter((line) => line.startsWith(root) && !line.includes("/node_modules/"));
    expect(errors).toEqual([]);
    expect(own.length, "files seen by tsc").toBeGreaterThan(30);
    succeeded(result);
  });

  it("has no finding of the linter", async () => {
    const result = await check("oxlint", "--type-aware", "--deny-warnings");
    expect(result.code, result.stdout).toBe(0);
    expect(seen(result.stdout, /on (\d+) files/), "files seen by oxlint").toBeGreaterThan(30);
  });

  it("is written in one format", async () => {
    const result = await check("oxfmt", "--check");
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(seen(result.stdout, /on (\d+) files/), "files seen by oxfmt").toBeGreaterThan(30);
  });

  it("has nothing that nobody uses", async () => {
    const result = await check("knip", "--no-progress");
    expect(result.code, result.stdout + result.stderr).toBe(0);
  });

  it("is seen by knip at all: an unused file is found under the same configuration", async () => {
    const place = temporaryDirectory();
    await mkdir(join(place, "src/cli"), { recursive: true });
    await Promise.all([
      cp(join(root, "knip.json"), join(place, "knip.json")),
      cp(join(root, "tsconfig.json"), join(place, "tsconfig.json")),
      symlink(join(root, "node_modules"), join(place, "node_modules")),
      writeFile(join(place, "package.json"), JSON.stringify({ name: "canary", type: "module" })),
      writeFile(join(place, "src/cli/main.ts"), "process.stdout.write('');\n"),
      writeFile(join(place, "src/unused.ts"), "export const unused = 1;\n"),
    ]);
    const result = await runToEnd([bin("knip"), "--no-progress", "--include", "files"], { cwd: place });
    expect(result.stdout).toContain("src/unused.ts");
  });
});
