/**
 * Bytes taken for decisions, so that what has structure is fuzzed, kept and repeated as bytes, too. When they are used
 * up, every decision is the first one.
 */
export interface Choices {
  readonly left: number;
  byte(): number;
  below(end: number): number;
  pick<T>(from: readonly T[]): T;
  /** True once in so many times, and never when nothing is left. */
  once(inTimes: number): boolean;
  take(count: number): Buffer;
}

export function choicesOf(input: Buffer): Choices {
  let at = 0;
  const byte = () => input[at++] ?? 0;
  const below = (end: number) => (end <= 256 ? byte() : (byte() << 8) | byte()) % end;
  return {
    get left() {
      return Math.max(0, input.length - at);
    },
    byte,
    below,
    pick: (from) => from[below(from.length)] as (typeof from)[number],
    once: (inTimes) => below(inTimes) === inTimes - 1,
    take: (count) => input.subarray(at, (at += count)),
  };
}
