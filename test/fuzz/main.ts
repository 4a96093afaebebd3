import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { coverageOf } from "./coverage.ts";
import { type Found, fuzz, tried } from "./guided.ts";
import type { Opened, Target } from "./target.ts";
import { planted, targets } from "./targets.ts";

/**
 *     npm run fuzz                                   every target for half a minute, with a seed of its own
 *     npm run fuzz -- toml dns-answer --seconds 600  some of them for longer
 *     npm run fuzz -- toml --seed 7 --runs 5000      the same inputs every time
 *     npm run fuzz -- toml --input 5b5b              one input, as a failure prints it
 *     npm run fuzz -- --missed                       and which lines never ran
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "30" },
    runs: { type: "string", default: "Infinity" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    input: { type: "string" },
    missed: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const say = (line: string) => process.stdout.write(`${line}\n`);
const known = [...targets, planted];
const unknown = positionals.filter((name) => !known.some((target) => target.name === name));
const bounds = { seed: Number(values.seed), runs: Number(values.runs), seconds: Number(values.seconds) };
if (
  unknown.length > 0 ||
  Object.values(bounds).some(Number.isNaN) ||
  (values.input !== undefined && positionals.length !== 1)
) {
  say(
    `npm run fuzz -- [TARGET…] [--seconds N] [--runs N] [--seed N] [--input HEX (of one target)] [--missed] [--json]`,
  );
  say(`targets: ${targets.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

let current = "";
let loose: Error | undefined;
// What nobody waited for is a fault of the target, too.
for (const event of ["unhandledRejection", "uncaughtException"] as const)
  process.on(event, (error) => (loose ??= error as Error));

// Whoever has had enough leaves nothing running.
let closing: Opened["close"];
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => void Promise.resolve(closing?.()).finally(() => process.exit(130)));

interface Outcome {
  target: string;
  executions: number;
  perSecond: number;
  seed: number;
  /** Of the built lines and blocks of the modules the target is about; 0 to 1. */
  lines: number;
  branches: number;
  figures: Record<string, string | number>;
  found?: { execution: number; input: string; error: string };
}

async function one(target: Target): Promise<Outcome> {
  current = target.name;
  const directory = mkdtempSync(join(tmpdir(), "perch-fuzz-coverage-"));
  const coverage = coverageOf(target.covers);
  const opened = await target.open(directory);
  closing = opened.close;
  const began = performance.now();
  const ended: { executions: number; found?: Found } =
    values.input === undefined
      ? await fuzz(target, opened, coverage, bounds)
      : await again(opened, Buffer.from(values.input, "hex"));
  const { executions } = ended;
  let { found } = ended;
  const perSecond = executions / ((performance.now() - began) / 1_000);
  let figures = {};
  try {
    closing = undefined;
    figures = (await opened.close?.()) ?? {};
    if (loose !== undefined) throw loose;
  } catch (error) {
    found ??= { execution: executions, input: Buffer.alloc(0), error: error as Error };
  }
  coverage.take();
  coverage.read(directory);
  rmSync(directory, { recursive: true });
  const { lines, branches, missed } = coverage.told();
  coverage.close();
  if (values.missed) for (const where of missed) say(`${target.name} never ran ${where}`);
  const told =
    found === undefined
      ? {}
      : { found: { ...found, input: found.input.toString("hex"), error: found.error.stack ?? "" } };
  return {
    target: target.name,
    executions,
    perSecond: Math.round(perSecond),
    seed: bounds.seed,
    lines,
    branches,
    figures,
    ...told,
  };
}

async function again(opened: Opened, input: Buffer): Promise<{ executions: number; found?: Found }> {
  const error = await tried(opened, input);
  return { executions: 1, ...(error === undefined ? {} : { found: { execution: 1, input, error } }) };
}

const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
const row = (...cells: (string | number)[]) =>
  cells.map((cell, index) => String(cell).padStart([0, 11, 9, 8, 8, 9][index] ?? 0)).join("  ");
const width = Math.max(...known.map(({ name }) => name.length));

const chosen = positionals.length === 0 ? targets : known.filter(({ name }) => positionals.includes(name));
if (!values.json) say(row("target".padEnd(width), "executions", "a second", "seed", "lines", "branches", "found"));
let failed = false;
for (const target of chosen) {
  const outcome = await one(target).catch((error: Error) => {
    say(`${target.name} could not be tried: ${error.stack}`);
    process.exit(1);
  });
  const { executions, perSecond, seed, lines, branches, figures, found } = outcome;
  failed ||= found !== undefined;
  if (values.json) say(JSON.stringify(outcome));
  else {
    const more = Object.entries(figures).map(([name, value]) => `${name}: ${value}`);
    const end = [found === undefined ? "nothing" : "A FAULT", ...more].join("; ");
    say(row(current.padEnd(width), executions, perSecond, seed, percent(lines), percent(branches), end));
    if (found === undefined) continue;
    say(
      `\n${target.name} does not hold: ${target.claim}\nseed ${seed}, execution ${found.execution}, input ${found.input || "(at the end)"}\n${found.error}`,
    );
    say(
      `again: npm run fuzz -- ${target.name} ${found.input === "" ? `--seed ${seed} --runs ${executions}` : `--input ${found.input}`}\n`,
    );
  }
  if (failed) break;
}
process.exit(failed ? 1 : 0);
