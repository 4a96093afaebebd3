import { monitorEventLoopDelay } from "node:perf_hooks";

/** By how much this process is late with what is due, in milliseconds: the most, and what one in a hundred looks exceeds. */
export interface LoopDelay {
  p99: number;
  max: number;
}

const everyMs = 20;

/**
 * Looks fifty times a second, outside of JavaScript. Gives what was seen within the last one to two windows, so that a bad moment of an hour ago is not shown
 * for ever.
 */
export function watchLoopDelay(windowMs = 60_000): { read(): LoopDelay; stop(): void } {
  const begin = () => {
    const histogram = monitorEventLoopDelay({ resolution: everyMs });
    histogram.enable();
    return histogram;
  };
  let [older, current] = [begin(), begin()];
  const turn = setInterval(() => {
    older.disable();
    older = current;
    current = begin();
  }, windowMs);
  turn.unref();
  return {
    read() {
      // Each look is as long as it should be, and as it is late.
      const late = (nanoseconds: number) => Math.max(0, Math.round(nanoseconds / 1e5) / 10 - everyMs);
      return { p99: late(Math.max(older.percentile(99), current.percentile(99))), max: late(Math.max(older.max, current.max)) };
    },
    stop() {
      clearInterval(turn);
      for (const histogram of [older, current]) histogram.disable();
    },
  };
}
