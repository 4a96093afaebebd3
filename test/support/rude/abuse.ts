import { ask } from "../../../src/base/deadline.ts";
import type { Answered } from "./deeds.ts";
import { type Vitals, vitalsOf, watchVitals } from "./vitals.ts";

/** One rudeness, and what became of everybody else meanwhile. */
export interface Abuse<T> {
  what: string;
  /** Name → pid of each process of Perch that has to bear it. */
  processes: Readonly<Record<string, number>>;
  /** Those who are not rude: begun before, stopped after. */
  others: Readonly<Record<string, () => { stop(): Promise<Answered> }>>;
  deed(): Promise<T>;
  /** How long it may take until nothing is left of it; milliseconds. */
  restMs?: number;
}

export interface Borne<T> {
  result: T;
  vitals: Record<string, { before: Vitals; most: Vitals; after: Vitals }>;
  others: Record<string, Answered>;
}

/**
 * Does it, waits until each process has the descriptors that it had, give or take two, and says on the terminal what
 * was measured.
 */
export async function bear<T>({ what, processes, others, deed, restMs = 20_000 }: Abuse<T>): Promise<Borne<T>> {
  const pids = Object.entries(processes);
  const before = await Promise.all(pids.map(([, pid]) => vitalsOf(pid)));
  const watches = pids.map(([, pid]) => watchVitals(pid));
  const asked = Object.entries(others).map(([name, begin]) => ({ name, asking: begin() }));
  const answers: Record<string, Answered> = {};
  const stopAsking = async () => {
    for (const { name, asking } of asked) answers[name] = await asking.stop();
    return Promise.all(watches.map((watch) => watch.stop()));
  };
  const result = await deed().catch(async (error: unknown) => {
    await stopAsking();
    throw error;
  });
  const most = await stopAsking();
  const vitals: Borne<T>["vitals"] = {};
  for (const [at, [name, pid]] of pids.entries()) {
    const [was, peak] = [before[at], most[at]];
    if (was === undefined || peak === undefined) continue;
    const after = await ask(
      async () => {
        const now = await vitalsOf(pid);
        return now.descriptors <= was.descriptors + 2 ? now : undefined;
      },
      { everyMs: 50, withinMs: restMs },
    );
    if (after === undefined) throw new Error(`${name} has not let go of what ${what} left in it within ${restMs} ms`);
    vitals[name] = { before: was, most: peak, after };
  }
  process.stderr.write(`${textOf(what, vitals, answers)}\n`);
  return { result, vitals, others: answers };
}

function textOf(what: string, vitals: Borne<unknown>["vitals"], others: Record<string, Answered>): string {
  const lines = Object.entries(vitals).map(([name, { before, most, after }]) => {
    const megabytes = [before, most, after].map((each) => each.megabytes.toFixed(0)).join(" → ");
    return `${name} ${megabytes} MB, ${[before, most, after].map((each) => each.descriptors).join(" → ")} descriptors`;
  });
  const answered = Object.entries(others).map(
    ([name, { asked, answered: heard, p50, p99, max }]) =>
      `${name} ${heard} of ${asked} answered, p50 ${p50} p99 ${p99} max ${max} ms`,
  );
  return `${what}: ${[...lines, ...answered].join("; ")}`;
}
