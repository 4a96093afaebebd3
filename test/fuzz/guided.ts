import type { Coverage } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import { randomOf } from "./random.ts";
import type { Opened, Target } from "./target.ts";

/**
 * The loop: inputs by the batch; of a batch in which something ran for the first time, those that made it run are
 * inputs to begin with from then on.
 */

export interface Found {
  execution: number;
  input: Buffer;
  error: Error;
}

export interface Bounds {
  seed: number;
  /** Whichever comes first. */
  runs: number;
  seconds: number;
}

const inBatch = 200;
/** Of this process's own time, for one input: what takes longer is a way to keep it from its work. */
const slowMs = 1_000;
/** For one input that is answered elsewhere; whoever waits longer waits for ever. */
const patienceMs = 15_000;

export async function fuzz(
  target: Target,
  opened: Opened,
  coverage: Coverage,
  bounds: Bounds,
): Promise<{ executions: number; found?: Found }> {
  const random = randomOf(bounds.seed);
  const corpus = [...target.seeds];
  const until = performance.now() + bounds.seconds * 1_000;
  let executions = 0;
  coverage.take();
  while (executions < bounds.runs && performance.now() < until) {
    const count = Math.min(inBatch, bounds.runs - executions);
    const batch = Array.from({ length: count }, (_, index) => {
      const seed = target.seeds[executions + index];
      return seed ?? mutate(random, corpus, target.tokens, target.longest);
    });
    for (const input of batch) {
      if (performance.now() >= until) break;
      executions++;
      const error = await tried(opened, input);
      if (error !== undefined)
        return { executions, found: { execution: executions, input: await shrunk(opened, input, error), error } };
    }
    if (opened.elsewhere !== true && coverage.news()) await keepNew(opened, coverage, batch, corpus);
  }
  return { executions };
}

/** Which of a batch it was that made something new run: each once more. */
async function keepNew(opened: Opened, coverage: Coverage, batch: readonly Buffer[], corpus: Buffer[]): Promise<void> {
  for (const input of batch) {
    await tried(opened, input);
    if (coverage.take()) corpus.push(input);
  }
  coverage.settle();
}

export async function tried(opened: Opened, input: Buffer): Promise<Error | undefined> {
  const before = process.cpuUsage();
  try {
    const running = opened.run(input);
    if (running instanceof Promise) await inTime(running);
  } catch (error) {
    return error instanceof Error ? error : new Error(`it threw ${String(error)}`);
  }
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1_000;
  return ms > slowMs && opened.elsewhere !== true ? new Error(`it took ${Math.round(ms)} ms of work`) : undefined;
}

class Late extends Error {}

async function inTime(running: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>(
    (_, reject) => (timer = setTimeout(() => reject(new Late(`no end within ${patienceMs / 1_000} s`)), patienceMs)),
  );
  await Promise.race([running, late]).finally(() => clearTimeout(timer));
}

/** The same fault with fewer bytes, where leaving some out keeps it. */
async function shrunk(opened: Opened, input: Buffer, error: Error): Promise<Buffer> {
  let best = input;
  let tries = error instanceof Late ? 0 : 200;
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.length && tries > 0; tries--) {
      const less = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      const again = await tried(opened, less);
      if (again?.message === error.message) best = less;
      else at += size;
    }
  }
  return best;
}
