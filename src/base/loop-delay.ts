import { monitorEventLoopDelay } from "node:perf_hooks";

/**
 * By how much this process is late with what is due, in milliseconds: the most, and what one in a hundred looks
 * exceeds.
 */
export interface LoopDelay {
  p99: number;
  max: number;
}

const everyMs = 50;

/**
 * Looks twenty times a second, outside of JavaScript: each look wakes the process. Gives what was seen within the last
 * one to two windows, so that a bad moment of an hour ago is not shown for ever.
 */
export function watchLoopDelay(windowMs = 60_000): { read(): LoopDelay; stop(): void } {
  const current = monitorEventLoopDelay({ resolution: everyMs });
  current.enable();
  let older = { p99: 0, max: 0 };
  const turn = setInterval(() => {
    older = { p99: current.percentile(99), max: current.max };
    current.reset();
  }, windowMs);
  turn.unref();
  return {
    read() {
      // Each look is as long as it should be, and as it is late.
      const late = (nanoseconds: number) => Math.max(0, Math.round(nanoseconds / 1e5) / 10 - everyMs);
      return { p99: late(Math.max(older.p99, current.percentile(99))), max: late(Math.max(older.max, current.max)) };
    },
    stop() {
      clearInterval(turn);
      current.disable();
    },
  };
}
