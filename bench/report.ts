/** What a bench is, what it gives, and how that is shown. */
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

export type Outcome = { skipped: string } | { rows: Row[]; notes?: string[] };

export interface Row {
  what: string;
  unit: string;
  /** Who was measured → a value a round. */
  values: Record<string, readonly number[]>;
  /** Of the first to the second, round by round. */
  ratio?: readonly number[];
  /** What the median of the ratios, or of the first values where there is no ratio, should be. */
  goal?: { atMost: number } | { atLeast: number };
}

export const isMet = ({ values, ratio, goal }: Row): boolean | undefined => {
  if (goal === undefined) return undefined;
  const reached = median(ratio ?? Object.values(values)[0] ?? []);
  return "atMost" in goal ? reached <= goal.atMost : reached >= goal.atLeast;
};

/** One row of a Markdown table, which reads as well on a terminal. Pure. */
function rowText(row: Row): string {
  const { what, unit, values, ratio, goal } = row;
  const shown = Object.entries(values).map(([who, all]) => `${who} ${spread(all)}`);
  const aim = goal === undefined ? "" : "atMost" in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
  const cells = [what, unit, shown.join("; "), ratio === undefined ? "" : spread(ratio, (value) => value.toFixed(2)), aim];
  return `| ${[...cells, goal === undefined ? "" : isMet(row) === true ? "met" : "missed"].join(" | ")} |`;
}

export function outcomeText(name: string, outcome: Outcome): string {
  if ("skipped" in outcome) return `## ${name}\n\nskipped: ${outcome.skipped}\n`;
  const rounds = Math.max(...outcome.rows.flatMap((row) => Object.values(row.values).map((all) => all.length)));
  const head = ["| what | unit | min / median / max | ratio | goal | |", "| --- | --- | --- | --- | --- | --- |"];
  const notes = (outcome.notes ?? []).map((note) => `\n${note}`);
  return [`## ${name}`, "", ...head, ...outcome.rows.map(rowText), "", `Up to ${rounds} rounds.`, ...notes, ""].join("\n");
}
