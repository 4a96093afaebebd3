/** Many who do the same, each compared with the one that has nothing in between, and with the goals. Pure. */
import { median, ratios, spread } from "./stats.ts";

/** One point of the comparison. */
export interface Comparison {
  what: string;
  unit: string;
  /** Who was measured → a value a round. */
  values: Record<string, readonly number[]>;
  /** Whom all are compared with. */
  base: string;
  aims?: readonly Aim[];
}

/** What the median of one's ratios to another should be. */
export type Aim = { who: string; to: string } & ({ atLeast: number } | { atMost: number });

const hundredths = (value: number): string => value.toFixed(2);

export const ratiosOf = ({ values }: Comparison, who: string, to: string): number[] =>
  ratios(values[who] ?? [], values[to] ?? []);

/** A point a line, who was measured a column; the base's own figures, the others' ratios to it. */
export function comparisonText(comparisons: readonly Comparison[]): string[] {
  const [first] = comparisons;
  if (first === undefined) return [];
  const whos = [...new Set(comparisons.flatMap(({ values }) => Object.keys(values)))].filter(
    (who) => who !== first.base,
  );
  const lines = comparisons.map((one) => {
    const cells = whos.map((who) => {
      const all = ratiosOf(one, who, one.base);
      return all.length === 0 ? "" : spread(all, hundredths);
    });
    return `| ${[one.what, one.unit, spread(one.values[one.base] ?? []), ...cells].join(" | ")} |`;
  });
  return [
    `| what | unit | ${first.base} | ${whos.join(" | ")} |`,
    `| --- | --- | --- |${" --- |".repeat(whos.length)}`,
    ...lines,
  ];
}

/** A goal a line, with every point that misses it. Goals of those who were not measured are left out. */
export function aimsText(comparisons: readonly Comparison[]): string[] {
  const goals = new Map<string, { points: number; missed: string[] }>();
  for (const comparison of comparisons)
    for (const aim of comparison.aims ?? []) {
      const all = ratiosOf(comparison, aim.who, aim.to);
      if (all.length === 0) continue;
      const reached = median(all);
      const text = `${aim.who} to ${aim.to}${comparison.what.includes(", p99") ? ", p99" : ""} | ${"atLeast" in aim ? `≥ ${aim.atLeast}` : `≤ ${aim.atMost}`}`;
      const goal = goals.get(text) ?? { points: 0, missed: [] };
      goals.set(text, goal);
      goal.points++;
      if (!("atLeast" in aim ? reached >= aim.atLeast : reached <= aim.atMost))
        goal.missed.push(`${comparison.what} ${hundredths(reached)}`);
    }
  const lines = [...goals].map(([text, { points, missed }]) => {
    const met = points - missed.length;
    return `| ${text} | ${met} of ${points} | ${missed.join("; ")} |`;
  });
  return lines.length === 0 ? [] : ["| median of | goal | met | missed at |", "| --- | --- | --- | --- |", ...lines];
}
