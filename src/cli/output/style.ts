import { shown } from "../../errors/shown.ts";

/**
 * Colours of a stream: none where NO_COLOR is set (https://no-color.org), where it is no terminal, or on a dumb one.
 * Pure.
 */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

export function styleOf(isTTY: boolean, env: NodeJS.ProcessEnv): Style {
  const forced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "" && env["FORCE_COLOR"] !== "0";
  const coloured = (env["NO_COLOR"] ?? "") === "" && (forced || (isTTY && env["TERM"] !== "dumb"));
  const paint = (on: number, off: number) => (text: string) =>
    coloured && text !== "" ? `${escape()}[${on}m${text}${escape()}[${off}m` : text;
  return { bold: paint(1, 22), dim: paint(2, 22), red: paint(31, 39), green: paint(32, 39), yellow: paint(33, 39) };
}

/**
 * Stands for ESC until the text goes out: no text from elsewhere can have it. Made for the first text that has a
 * colour.
 */
let mark: string | undefined;
const escape = (): string =>
  (mark ??= `\u{f0001}${process.getBuiltinModule("node:crypto").randomBytes(6).toString("hex")}\u{f0001}`);

/**
 * The last step of all text for people: our own colours are obeyed, and whatever else a terminal would obey is shown.
 */
export const forTerminal = (text: string): string =>
  mark === undefined ? shown(text) : shown(text).replaceAll(mark, "\u001b");
