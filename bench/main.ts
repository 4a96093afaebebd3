/**
 * The measurements: `npm run bench [-- NAME…] [-- --quick] [--json FILE]`. Each bench is a file; without names all of them run, one after the other, against
 * what is built in `dist/`. Nothing here is a test: a goal that is missed is said, not failed.
 */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { copy } from "./copy.ts";
import { dns } from "./dns.ts";
import { gap } from "./gap.ts";
import { cli } from "./ground.ts";
import { path } from "./path.ts";
import { quickstart } from "./quickstart.ts";
import { type Bench, type Outcome, outcomeText } from "./report.ts";
import { rest } from "./rest.ts";
import { start } from "./start.ts";

const benches: readonly Bench[] = [start, path, copy, gap, rest, dns, quickstart];

/** The first Ctrl-C ends the programs that run; each bench then takes away what it made. */
function interrupts(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort(new Error(`interrupted by ${name}`)));
  return stop.signal;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: "boolean" }, json: { type: "string" } } });
  const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(`no bench ${unknown.join(", ")}; there are:\n${benches.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join("\n")}`);
    return 2;
  }
  if (!existsSync(cli)) {
    console.error("nothing is built yet: npm run build");
    return 1;
  }
  const machine = `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}, Node ${process.versions.node}`;
  console.log(`${machine}, ${new Date().toISOString().slice(0, 10)}${values.quick === true ? ", quick" : ""}\n`);
  const signal = interrupts();
  const say = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  const outcomes: Record<string, Outcome> = {};
  let failed = false;
  for (const bench of benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    if (signal.aborted) break;
    say(`${bench.name}: ${bench.summary}`);
    const outcome = await bench.run({ quick: values.quick === true, say, signal }).catch((error: unknown) => {
      if (signal.aborted) return { skipped: "it was interrupted" };
      failed = true;
      return { skipped: `it failed: ${error instanceof Error ? error.message : String(error)}` };
    });
    outcomes[bench.name] = outcome;
    console.log(outcomeText(bench.name, outcome));
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ machine, outcomes }, null, 2)}\n`);
  }
  return signal.aborted ? 130 : failed ? 1 : 0;
}

process.exitCode = await main();
