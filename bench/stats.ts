/**
 * Figures of repeated rounds. A bench measures in pairs, one of each in every round, so that what else the machine does
 * meets both.
 */

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
};

/** The value that `share` (0 to 1) of them do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Round by round, one by the other. */
export const ratios = (values: readonly number[], by: readonly number[]): number[] =>
  values.map((value, round) => value / (by[round] ?? Number.NaN)).filter((ratio) => !Number.isNaN(ratio));

/** Whole numbers where they are large or whole, two decimals where they are small. */
export function figure(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** min / median / max; the median alone where nothing spreads. */
export function spread(values: readonly number[], show: (value: number) => string = figure): string {
  const all = [Math.min(...values), median(values), Math.max(...values)].map(show);
  return new Set(all).size === 1 ? (all[0] ?? "") : all.join(" / ");
}

/** The list begun one further each round, and backwards every other one: each stands behind and before every other. */
export function turns<T>(list: readonly T[], round: number): T[] {
  const at = round % Math.max(1, list.length);
  const turned = [...list.slice(at), ...list.slice(0, at)];
  return round % 2 === 0 ? turned : turned.toReversed();
}

/** Milliseconds that `work` takes, and what it gives. */
export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const from = performance.now();
  const value = await work();
  return { ms: performance.now() - from, value };
}
