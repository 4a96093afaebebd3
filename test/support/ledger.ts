/**
 * What a writing load was told, as it wrote it down itself. Pure but for the reading; nothing here takes Perch's word
 * for anything.
 */
import { closeSync, existsSync, openSync, readSync } from "node:fs";

export interface Told {
  /** Milliseconds since the epoch. */
  at: number;
  client: string;
  n: number;
  /** The row was acknowledged; or what failed. */
  what: "ok" | "query" | "connect";
  /** Who took it, or how it failed. */
  word: string;
  timeline: number;
}

export const rowOf = ({ client, n }: Pick<Told, "client" | "n">): string => `${client} ${n}`;

export interface Ledger {
  /** All so far, in the order of time. */
  all(): readonly Told[];
  /** Of a moment and after. */
  since(at: number): Told[];
}

/** Reads on from where it was, so that it may be asked often. */
export function ledgerAt(path: string): Ledger {
  const told: Told[] = [];
  let offset = 0;
  let rest = "";

  function readOn(): void {
    if (!existsSync(path)) return;
    const file = openSync(path, "r");
    const buffer = Buffer.alloc(1 << 16);
    for (
      let length = readSync(file, buffer, 0, buffer.length, offset);
      length > 0;
      length = readSync(file, buffer, 0, buffer.length, offset)
    ) {
      offset += length;
      const lines = (rest + buffer.toString("latin1", 0, length)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) told.push(parse(line));
    }
    closeSync(file);
  }

  return {
    all() {
      readOn();
      return told;
    },
    since(at) {
      readOn();
      let from = told.length;
      while (from > 0 && (told[from - 1]?.at ?? 0) >= at) from--;
      return told.slice(from);
    },
  };
}

function parse(line: string): Told {
  const [at = "", client = "", n = "", what = "", ...words] = line.split(" ");
  const taken = what === "ok";
  return {
    at: Number(at),
    client,
    n: Number(n),
    what: taken || what === "connect" ? what : "query",
    word: taken ? (words[0] ?? "") : words.join(" "),
    timeline: taken ? Number(words[1]) : 0,
  };
}

/**
 * The longest time without an acknowledged row between two moments, in milliseconds: of any client, and of the client
 * that was worst off.
 */
export function gaps(told: readonly Told[], from: number, to: number): { any: number; one: number } {
  const acknowledged = told.filter(({ what, at }) => what === "ok" && at > from && at < to);
  const clients = new Set(told.map(({ client }) => client));
  const ofOne = [...clients].map((name) =>
    longest(
      acknowledged.filter(({ client }) => client === name).map(({ at }) => at),
      from,
      to,
    ),
  );
  return {
    any: longest(
      acknowledged.map(({ at }) => at),
      from,
      to,
    ),
    one: Math.max(0, ...ofOne),
  };
}

function longest(moments: readonly number[], from: number, to: number): number {
  let most = 0;
  let last = from;
  for (const at of [...moments, to]) {
    most = Math.max(most, at - last);
    last = at;
  }
  return most;
}

/**
 * What clients were told that no cluster with one leader tells: a timeline that two servers wrote on, or a row taken on
 * one that was over.
 */
export function secondWriters(told: readonly Told[]): string[] {
  const servers = new Map<number, string>();
  const found = new Set<string>();
  let latest = 0;
  for (const { timeline, word } of told.filter(({ what }) => what === "ok")) {
    const server = servers.get(timeline) ?? word;
    servers.set(timeline, server);
    if (server !== word) found.add(`${server} and ${word} both took rows on timeline ${timeline}`);
    if (timeline < latest) found.add(`${word} took a row on timeline ${timeline} after one was taken on ${latest}`);
    latest = Math.max(latest, timeline);
  }
  return [...found];
}
