import { shownJson } from "../../errors/shown.ts";
import type { Answer } from "../command.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Items of a feed: one line each as they come. With --json they are one array, or, since a followed feed has no end,
 * one JSON value a line.
 */
export async function printFeed<T>(
  items: AsyncIterable<T>,
  at: { follow: boolean; json: boolean; terminal: Terminal; line(item: T): string },
): Promise<Answer | undefined> {
  const all: T[] = [];
  for await (const item of items) {
    if (!at.json) at.terminal.print(oneItem(at.line(item)));
    else if (at.follow) at.terminal.print(shownJson(item));
    else all.push(item);
  }
  return at.json && !at.follow ? { json: all } : undefined;
}

/** The further lines of an item are indented: none looks as if it were the next item. */
const oneItem = (text: string): string => text.replaceAll("\n", "\n    ");
