/** Text in columns. Pure; widths count characters as a terminal shows them, near enough: code points. */

const widthOf = (text: string): number => [...text].length;

/** Rows aligned in columns two spaces apart; nothing after the last column. */
export function columns(rows: readonly (readonly string[])[], options: { indent?: number } = {}): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
  const pad = " ".repeat(options.indent ?? 0);
  const line = (row: readonly string[]) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell + " ".repeat((widths[index] ?? 0) - widthOf(cell))))
      .join("  ");
  return rows.map((row) => `${pad}${line(row)}`.trimEnd()).join("\n");
}

/** A table with a head in capitals, or one sentence in its place when there is nothing to show. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  whenEmpty: string,
  options: { indent?: number } = {},
): string {
  const pad = " ".repeat(options.indent ?? 0);
  return rows.length === 0
    ? `${pad}${whenEmpty}`
    : columns([head.map((title) => title.toUpperCase()), ...rows], options);
}

/** `2026-11-24 06:30:00` in UTC. */
export const moment = (iso: string): string => iso.replace("T", " ").replace(/(\.\d+)?Z$/, "");
