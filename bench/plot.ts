/**
 * The picture of the comparison: for every point and everybody measured, a dot at the median of the ratios to the
 * direct way on a line from the least to the most; below it the gaps of the faults. SVG by hand, with a ground of its
 * own, so that it reads on a light page and on a dark one. Pure.
 */
import { type Comparison, ratiosOf } from "./compare.ts";
import type { Row } from "./report.ts";
import { figure, median } from "./stats.ts";
import { names } from "./way.ts";

/** What there is to show; each part may be empty. */
export interface Picture {
  comparisons: readonly Comparison[];
  gaps: readonly Row[];
  /** The machine, the day, and how short the rounds were. */
  caption: string;
}

const classes: Readonly<Record<string, string>> = {
  [names.map]: "map",
  [names.pool]: "pool",
  [names.haproxy]: "haproxy",
  [names.pgbouncer]: "pgbouncer",
  [names.relay]: "relay",
};

const light = {
  ground: "#fff",
  line: "#cbd5e1",
  text: "#0f172a",
  note: "#475569",
  map: "#0f766e",
  pool: "#2563eb",
  haproxy: "#c2410c",
  pgbouncer: "#7c3aed",
  relay: "#64748b",
};
const dark = {
  ground: "#0d1117",
  line: "#3b4554",
  text: "#e6edf3",
  note: "#9aa7b8",
  map: "#2dd4bf",
  pool: "#60a5fa",
  haproxy: "#fb923c",
  pgbouncer: "#c4b5fd",
  relay: "#94a3b8",
};

const style = ({ ground, line, text, note, ...series }: typeof light): string =>
  [
    `.ground { fill: ${ground} } .grid { stroke: ${line} } .base { stroke: ${note} } .aim { stroke: ${note}; stroke-dasharray: 3 3 }`,
    `.name { fill: ${text}; font-weight: 600 } .note { fill: ${note}; font-size: 11px }`,
    ...Object.entries(series).map(([name, colour]) => `.${name} { stroke: ${colour}; fill: ${colour} }`),
  ].join(" ");

/** One axis: where a value lies, and the values that have a line. */
interface Axis {
  left: number;
  right: number;
  from: number;
  to: number;
  logarithmic: boolean;
  ticks: readonly number[];
  unit: string;
}

const width = 920;
const rowHeight = 12;
const shares: Axis = {
  left: 210,
  right: 530,
  from: 0,
  to: 1.4,
  logarithmic: false,
  ticks: [0, 0.25, 0.5, 0.75, 1, 1.25],
  unit: "",
};
const latencies: Axis = {
  left: 580,
  right: 890,
  from: 0.5,
  to: 8,
  logarithmic: true,
  ticks: [0.5, 1, 2, 4, 8],
  unit: "",
};
const milliseconds: Axis = {
  left: 210,
  right: 890,
  from: 5,
  to: 10_000,
  logarithmic: true,
  ticks: [10, 100, 500, 1_000, 5_000],
  unit: " ms",
};

function place({ left, right, from, to, logarithmic }: Axis, value: number): number {
  const at = logarithmic ? Math.log(value / from) / Math.log(to / from) : (value - from) / (to - from);
  return Math.round((left + Math.min(1, Math.max(0, at)) * (right - left)) * 10) / 10;
}

/** A dot at the median, a line over the spread; where the median lies beyond the axis, its figure. */
function mark(axis: Axis, y: number, who: string, values: readonly number[]): string {
  if (values.length === 0) return "";
  const middle = median(values);
  const [from, to, at] = [Math.min(...values), Math.max(...values), middle].map((value) => place(axis, value));
  const beyond =
    middle > axis.to
      ? `<text class="note" x="${axis.right - 8}" y="${y + 4}" text-anchor="end">${figure(middle)} →</text>`
      : "";
  const of = classes[who] ?? "relay";
  return `<path class="${of}" stroke-width="2" opacity=".55" d="M${from} ${y}H${to}"/><circle class="${of}" cx="${at}" cy="${y}" r="3.5"/>${beyond}`;
}

const grid = (axis: Axis, top: number, bottom: number, base?: number): string[] =>
  axis.ticks.flatMap((tick) => {
    const x = place(axis, tick);
    const line = `<path class="${tick === base ? "base" : "grid"}" d="M${x} ${top}V${bottom}"/>`;
    return [line, `<text class="note" x="${x}" y="${bottom + 14}" text-anchor="middle">${tick}${axis.unit}</text>`];
  });

const text = (kind: string, x: number, y: number, words: string, anchor = "start"): string =>
  `<text class="${kind}" x="${x}" y="${y}"${anchor === "start" ? "" : ` text-anchor="${anchor}"`}>${escaped(words)}</text>`;
const escaped = (words: string): string => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Throughput to the left, p99 of the same point beside it. */
function waysPart(comparisons: readonly Comparison[], top: number): { lines: string[]; bottom: number } {
  const points = comparisons.filter(({ what }) => !what.includes(", p"));
  if (points.length === 0) return { lines: [], bottom: top };
  const lines = [
    text("name", shares.left, top, "throughput, direct = 1"),
    text("name", latencies.left, top, "p99 latency, direct = 1 (less is better)"),
  ];
  let y = top + 24;
  for (const point of points) {
    const p99 = comparisons.find(({ what }) => what === `${point.what}, p99`);
    const whos = Object.keys(point.values).filter((who) => who !== point.base);
    lines.push(text("name", shares.left - 14, y + (whos.length * rowHeight) / 2, point.what, "end"));
    for (const who of whos) {
      lines.push(mark(shares, y, who, ratiosOf(point, who, point.base)));
      if (p99 !== undefined) lines.push(mark(latencies, y, who, ratiosOf(p99, who, p99.base)));
      y += rowHeight;
    }
    y += 10;
  }
  return {
    lines: [...grid(shares, top + 12, y - 8, 1), ...grid(latencies, top + 12, y - 8, 1), ...lines],
    bottom: y + 40,
  };
}

function gapsPart(gaps: readonly Row[], top: number): { lines: string[]; bottom: number } {
  if (gaps.length === 0) return { lines: [], bottom: top };
  const lines = [text("name", milliseconds.left, top, "longest time without an acknowledged write (dashed: the goal)")];
  let y = top + 24;
  for (const row of gaps) {
    const from = y;
    for (const [who, values] of Object.entries(row.values)) {
      lines.push(mark(milliseconds, y, who, values));
      y += rowHeight;
    }
    lines.push(
      text("name", milliseconds.left - 14, (from + y - rowHeight) / 2 + 5, row.what.replace(/:.*/, ""), "end"),
    );
    const x = row.goal !== undefined && "atMost" in row.goal ? place(milliseconds, row.goal.atMost) : undefined;
    if (x !== undefined) lines.push(`<path class="aim" d="M${x} ${from - 8}V${y - 4}"/>`);
    y += 10;
  }
  return { lines: [...grid(milliseconds, top + 12, y - 8), ...lines], bottom: y + 40 };
}

export function plotted({ comparisons, gaps, caption }: Picture): string {
  const whos = Object.keys(classes).filter((who) => [...comparisons, ...gaps].some(({ values }) => who in values));
  const legend = whos.map(
    (who, at) =>
      `<circle class="${classes[who]}" cx="${30 + at * 130}" cy="24" r="4"/>${text("name", 40 + at * 130, 28, who)}`,
  );
  const ways = waysPart(comparisons, 62);
  const below = gapsPart(gaps, ways.bottom);
  const height = below.bottom + 6;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12">`,
    '<title id="title">Every way to the leader compared with the direct one, and what a writer sees of a fault: medians, and the least to the most</title>',
    `<style>${style(light)} @media (prefers-color-scheme: dark) { ${style(dark)} }</style>`,
    `<rect class="ground" width="${width}" height="${height}" rx="8"/>`,
    ...legend,
    ...ways.lines,
    ...below.lines,
    text("note", 24, height - 14, caption),
    "</svg>",
  ].join("\n")}\n`;
}
