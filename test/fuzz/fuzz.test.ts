import { describe, expect, it } from "vitest";
import { type Ended, runToEnd } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";
import { planted, targets } from "./targets.ts";

/**
 * The short run: so many executions of each target from one seed, by the command that a person types for a longer one.
 */
const fuzz = (...args: string[]): Promise<Ended> =>
  runToEnd([process.execPath, "--import", "tsx", "test/fuzz/main.ts", ...args]);

describe("whatever the bytes,", () => {
  for (const { name, claim, runs, needs = [] } of targets)
    it.skipIf(missingTools(...needs))(`${claim} (${name})`, async () => {
      const { code, stdout, stderr } = await fuzz(name, "--seed", "1", "--runs", String(runs), "--seconds", "120");
      expect(code, stdout + stderr).toBe(0);
      const [, executions, perSecond, seed, lines, branches] = stdout.split("\n")[1]?.split(/ {2,}/) ?? [];
      expect([Number(executions), Number(seed)]).toEqual([runs, 1]);
      process.stderr.write(
        `${name}: ${runs} executions, ${perSecond} a second; ${lines} of lines, ${branches} of branches\n`,
      );
      // A fuzzer that does not get in finds nothing.
      expect(Number.parseFloat(lines ?? "0"), "lines that ran").toBeGreaterThan(50);
    });
});

describe("the fuzzer", () => {
  it("finds a fault that lies behind several branches, says it with seed and input, and meets it again by them", async () => {
    const found = await fuzz(planted.name, "--seed", "2", "--runs", String(planted.runs), "--seconds", "60");
    expect(found.code).toBe(1);
    expect(found.stdout).toContain(`does not hold: ${planted.claim}\nseed 2, execution `);
    const [, input = ""] = /--input ([0-9a-f]+)/.exec(found.stdout) ?? [];
    expect(input.length, "hex digits of the input, which is more than a header").toBeGreaterThan(24);
    expect(await fuzz(planted.name, "--input", input)).toMatchObject({ code: 1 });
    expect(await fuzz(planted.name, "--input", input.slice(0, 24))).toMatchObject({ code: 0 });
    expect((await fuzz(planted.name, "--seed", "2", "--runs", String(planted.runs))).stdout).toContain(input);
  });

  it("says what there is to fuzz to whoever names something else", async () => {
    const { code, stdout } = await fuzz("nothing");
    expect(code).toBe(2);
    for (const { name } of targets) expect(stdout).toContain(name);
  });
});
