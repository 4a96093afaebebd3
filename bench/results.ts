/**
 * What a run leaves behind beside the terminal: every round's figure as JSON, the tables as Markdown, the picture as
 * SVG, all under one name.
 */
import { writeFile } from "node:fs/promises";
import { plotted } from "./plot.ts";
import { type Outcome, outcomeText } from "./report.ts";

export interface Results {
  machine: string;
  /** The day, as YYYY-MM-DD. */
  date: string;
  /** What else the machine did when the run began: processes that ran or waited to, over a minute. */
  load: number;
  quick: boolean;
  /** Bench → what it gave, and how long it took. */
  outcomes: Record<string, Outcome>;
  seconds: Record<string, number>;
}

export const headline = ({ machine, date, load, quick }: Results): string =>
  `${machine}, ${date}, a load of ${load.toFixed(1)} before${quick ? "; quick: few and short rounds" : ""}`;

/** `file` ends in .json; the picture is there when something in it was measured. */
export async function writeResults(file: string, results: Results): Promise<void> {
  const beside = (ending: string) => `${file.replace(/\.json$/, "")}.${ending}`;
  const short = (_name: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  await writeFile(file, `${JSON.stringify(results, short, 1)}\n`);

  const { path, copy, gap } = results.outcomes;
  const comparisons = [path, copy].flatMap((outcome) =>
    outcome === undefined || "skipped" in outcome ? [] : (outcome.comparisons ?? []),
  );
  const gaps =
    gap === undefined || "skipped" in gap ? [] : gap.rows.filter(({ what }) => what.includes("longest time without"));
  const isPlotted = comparisons.length > 0 || gaps.length > 0;
  if (isPlotted) await writeFile(beside("svg"), plotted({ comparisons, gaps, caption: headline(results) }));

  const name = beside("svg").split("/").at(-1) ?? "";
  const picture = isPlotted
    ? [`![Every way to the leader compared with the direct one, and what a writer sees of a fault](${name})\n`]
    : [];
  const tables = Object.entries(results.outcomes).map(([bench, outcome]) => outcomeText(bench, outcome));
  await writeFile(beside("md"), [`# Results\n`, `${headline(results)}.\n`, ...picture, ...tables].join("\n"));
}
