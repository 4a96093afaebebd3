/**
 * The measurements: `npm run bench [-- NAME…] [-- --quick] [--json FILE]`. Each bench is a file; without names all of
 * them run, one after the other, against what is built in `dist/`. With --json results.json the tables are in
 * results.md and the picture in results.svg, too. Nothing here is a test: a goal that is missed is said, not failed.
 */
import { existsSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { parseArgs } from "node:util";
import { cli as cliBench } from "./cli.ts";
import { copy } from "./copy.ts";
import { dns } from "./dns.ts";
import { door } from "./door.ts";
import { flood } from "./flood.ts";
import { gap } from "./gap.ts";
import { cli } from "./ground.ts";
import { path } from "./path.ts";
import { quickstart } from "./quickstart.ts";
import { type Bench, outcomeText } from "./report.ts";
import { rest } from "./rest.ts";
import { headline, type Results, writeResults } from "./results.ts";
import { scale } from "./scale.ts";
import { start } from "./start.ts";
import { timed } from "./stats.ts";
import { wireguard } from "./wireguard.ts";

const benches: readonly Bench[] = [
  start,
  cliBench,
  path,
  copy,
  gap,
  rest,
  scale,
  dns,
  door,
  wireguard,
  flood,
  quickstart,
];

/** The first Ctrl-C ends the programs that run; each bench then takes away what it made. */
function interrupts(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => stop.abort(new Error(`interrupted by ${name}`)));
  return stop.signal;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: "boolean" }, json: { type: "string" } },
  });
  const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(
      `no bench ${unknown.join(", ")}; there are:\n${benches.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`).join("\n")}`,
    );
    return 2;
  }
  if (!existsSync(cli)) {
    console.error("nothing is built yet: npm run build");
    return 1;
  }
  const results: Results = {
    machine: `${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}, Node ${process.versions.node}`,
    date: new Date().toISOString().slice(0, 10),
    load: loadavg()[0] ?? 0,
    quick: values.quick === true,
    outcomes: {},
    seconds: {},
  };
  console.log(`${headline(results)}\n`);
  const signal = interrupts();
  const say = (sentence: string) => void process.stderr.write(`${sentence}\n`);
  let failed = false;
  for (const bench of benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    if (signal.aborted) break;
    say(`${bench.name}: ${bench.summary}`);
    const { value: outcome, ms } = await timed(() =>
      bench.run({ quick: results.quick, say, signal }).catch((error: unknown) => {
        if (signal.aborted) return { skipped: "it was interrupted" };
        failed = true;
        return { skipped: `it failed: ${error instanceof Error ? error.message : String(error)}` };
      }),
    );
    results.outcomes[bench.name] = outcome;
    results.seconds[bench.name] = Math.round(ms / 1_000);
    console.log(outcomeText(bench.name, outcome));
    say(`${bench.name}: ${results.seconds[bench.name]} s`);
    if (values.json !== undefined) await writeResults(values.json, results);
  }
  return signal.aborted ? 130 : failed ? 1 : 0;
}

process.exitCode = await main();
