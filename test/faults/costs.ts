/** What faults cost, gathered over their rounds: a table for a person, and lines of JSON for the notes. */
import { appendFileSync } from "node:fs";
import type { Fault } from "./fault.ts";

export interface Cost {
  /**
   * The longest time without an acknowledged row, in milliseconds: of any client, and of the one that was worst off.
   */
  gap: number;
  clientGap: number;
  failedQueries: number;
  failedConnects: number;
  lost: number;
}

export function costsOf(title: string) {
  const all = new Map<Fault, Cost[]>();
  return {
    add: (fault: Fault, cost: Cost): void => void all.set(fault, [...(all.get(fault) ?? []), cost]),

    /** To the terminal, and to the file that FAULT_JSON names, one line a fault. */
    report(): void {
      const summaries = [...all].map(([{ name, rows, withinMs }, costs]) => ({
        of: title,
        fault: name,
        rows,
        withinMs,
        ...summary(costs),
      }));
      process.stderr.write(`\n${table(title, summaries)}\n`);
      const file = process.env["FAULT_JSON"];
      if (file !== undefined) appendFileSync(file, summaries.map((one) => `${JSON.stringify(one)}\n`).join(""));
    },
  };
}

function summary(costs: readonly Cost[]) {
  const gaps = costs.map(({ gap }) => Math.round(gap)).toSorted((a, b) => a - b);
  const sum = (of: (cost: Cost) => number): number => costs.reduce((total, cost) => total + of(cost), 0);
  return {
    rounds: costs.length,
    gapMs: { min: gaps[0] ?? 0, median: gaps[Math.floor(gaps.length / 2)] ?? 0, max: gaps.at(-1) ?? 0 },
    worstClientMs: Math.round(Math.max(...costs.map(({ clientGap }) => clientGap))),
    failedQueries: sum(({ failedQueries }) => failedQueries),
    failedConnects: sum(({ failedConnects }) => failedConnects),
    lostRows: sum(({ lost }) => lost),
  };
}

type Summary = ReturnType<typeof summary> & { fault: string };

function table(title: string, summaries: readonly Summary[]): string {
  const rows = summaries.map(
    ({ fault, rounds, gapMs: { min, median, max }, worstClientMs, failedQueries, failedConnects, lostRows }) => [
      fault,
      ...[rounds, min, median, max, worstClientMs, failedQueries, failedConnects, lostRows].map(String),
    ],
  );
  const all = [
    [title, "rounds", "gap ms, min", "median", "max", "one client", "failed queries", "connects", "rows lost"],
    ...rows,
  ];
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? [];
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return all.map((row) => row.map(cell).join("  ")).join("\n");
}
