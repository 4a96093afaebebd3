/** What a bench is, what it gives, and how that is shown. */
import { aimsText, type Comparison, comparisonText } from "./compare.ts";
import { median, spread } from "./stats.ts";

export interface Bench {
  name: string;
  summary: string;
  run(options: Options): Promise<Outcome>;
}

export interface Options {
  /** Few and short rounds: whether it works, not how fast it is. */
  quick: boolean;
  /** What is under way, for who waits. */
  say(sentence: string): void;
  /** Aborts at Ctrl-C: what was started is still taken away. */
  signal: AbortSignal;
}

export type Outcome = { skipped: string } | { rows: Row[]; comparisons?: Comparison[]; notes?: string[] };

export interface Row {
  what: string;
  unit: string;
  /** Who was measured → a value a round. */
  values: Record<string, readonly number[]>;
  /** Of the first to the second, round by round. */
  ratio?: readonly number[];
  /**
   * What the median of the ratios, or of the first values where there is no ratio, should be; and the worst of them,
   * where that has a goal of its own.
   */
  goal?: { atMost: number; worst?: number } | { atLeast: number };
}

export const isMet = ({ values, ratio, goal }: Row): boolean | undefined => {
  if (goal === undefined) return undefined;
  const all = ratio ?? Object.values(values)[0] ?? [];
  if ("atLeast" in goal) return median(all) >= goal.atLeast;
  return median(all) <= goal.atMost && Math.max(...all) <= (goal.worst ?? Number.POSITIVE_INFINITY);
};

/** One row of a Markdown table, which reads as well on a terminal. Pure. */
function rowText(row: Row): string {
  const { what, unit, values, ratio, goal } = row;
  const shown = Object.entries(values).map(([who, all]) => `${who} ${spread(all)}`);
  const worst = goal !== undefined && "worst" in goal && goal.worst !== goal.atMost ? `, at most ${goal.worst}` : "";
  const aim = goal === undefined ? "" : "atMost" in goal ? `≤ ${goal.atMost}${worst}` : `≥ ${goal.atLeast}`;
  const cells = [
    what,
    unit,
    shown.join("; "),
    ratio === undefined ? "" : spread(ratio, (value) => value.toFixed(2)),
    aim,
  ];
  return `| ${[...cells, goal === undefined ? "" : isMet(row) === true ? "met" : "missed"].join(" | ")} |`;
}

const head = ["| what | unit | min / median / max | ratio | goal | |", "| --- | --- | --- | --- | --- | --- |"];

export function outcomeText(name: string, outcome: Outcome): string {
  if ("skipped" in outcome) return `## ${name}\n\nskipped: ${outcome.skipped}\n`;
  const { rows, comparisons = [], notes = [] } = outcome;
  const rounds = Math.max(
    ...[...rows, ...comparisons].flatMap((row) => Object.values(row.values).map((all) => all.length)),
  );
  const tables = [
    rows.length === 0 ? [] : [...head, ...rows.map(rowText)],
    comparisonText(comparisons),
    aimsText(comparisons),
  ];
  const shown = tables.flatMap((lines) => (lines.length === 0 ? [] : [...lines, ""]));
  return [`## ${name}`, "", ...shown, `Up to ${rounds} rounds.`, ...notes.map((note) => `\n${note}`), ""].join("\n");
}
