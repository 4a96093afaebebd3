import { readdir, readFile } from "node:fs/promises";
import { pause } from "../../../src/base/deadline.ts";
import { type Answered, summary } from "./deeds.ts";

/** How processes of Perch do while somebody is rude to them, and whether others are still answered. */
export interface Vitals {
  megabytes: number;
  descriptors: number;
}

export async function vitalsOf(pid: number): Promise<Vitals> {
  const [status, descriptors] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readdir(`/proc/${pid}/fd`),
  ]);
  return {
    megabytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1_024,
    descriptors: descriptors.length,
  };
}

/** Looks at a process every 20 ms until it is stopped; gives the most of each that it saw. */
export function watchVitals(pid: number): { stop(): Promise<Vitals> } {
  const over = new AbortController();
  const most: Vitals = { megabytes: 0, descriptors: 0 };
  const watching = (async () => {
    for (;;) {
      const now = await vitalsOf(pid);
      most.megabytes = Math.max(most.megabytes, now.megabytes);
      most.descriptors = Math.max(most.descriptors, now.descriptors);
      if (over.signal.aborted) return most;
      await pause(20);
    }
  })();
  watching.catch(() => undefined);
  return {
    stop() {
      over.abort();
      return watching;
    },
  };
}

/** Asks the same of Perch over and over, as somebody does who is not rude. */
export function asking(question: () => Promise<unknown>, everyMs: number): { stop(): Promise<Answered> } {
  const over = new AbortController();
  const milliseconds: number[] = [];
  let asked = 0;
  const going = (async () => {
    while (!over.signal.aborted) {
      const since = performance.now();
      asked += 1;
      await question().then(
        () => milliseconds.push(performance.now() - since),
        () => undefined,
      );
      await pause(everyMs);
    }
  })();
  return {
    async stop() {
      over.abort();
      await going;
      return summary(milliseconds, asked);
    },
  };
}
