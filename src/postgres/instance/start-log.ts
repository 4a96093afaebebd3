import { pause } from "../../base/deadline.ts";
import { redact } from "../../base/redact.ts";
import { lookBelow, readBelow } from "../../host/files/below.ts";
import type { LogLine } from "./log-line.ts";

/**
 * What a server says before it has its log, in the directory of that: why a setting is not taken, which library the
 * loader misses. Each start begins the file again, so it holds the words of the last one.
 */
export const startLogFile = "start.log";

const atMost = 65_536;

/** Its lines, and those of every later start until the signal aborts. */
export async function beginStartLog(
  directory: string,
): Promise<{ past: LogLine[]; follow(signal: AbortSignal): AsyncGenerator<LogLine> }> {
  const begun = await read(directory);
  return { past: begun.lines, follow: (signal) => followFrom(directory, begun, signal) };
}

interface Reading {
  inode: number;
  modified: number;
  lines: LogLine[];
}

async function* followFrom(directory: string, from: Reading, signal: AbortSignal): AsyncGenerator<LogLine> {
  let seen = from;
  while (!signal.aborted) {
    // Aborted: the loop looks at the signal.
    await pause(250, signal).catch(() => undefined);
    const now = await read(directory, seen);
    // The same file goes on; another begins.
    yield* now.inode === seen.inode ? now.lines.slice(seen.lines.length) : now.lines;
    seen = now;
  }
}

/** What is no file of its own, or gone, says nothing. */
async function read(directory: string, known?: Reading): Promise<Reading> {
  // It may not be there yet.
  const facts = await lookBelow(directory, startLogFile).catch(() => undefined);
  if (facts?.isFile() !== true) return { inode: 0, modified: 0, lines: [] };
  const { ino: inode, mtimeMs: modified } = facts;
  if (known !== undefined && known.inode === inode && known.modified === modified) return known;
  // It may not be there yet.
  const text = (await readBelow(directory, startLogFile, { atMost, last: true }).catch(() => undefined)) ?? "";
  return { inode, modified, lines: startLines(text, new Date(modified).toISOString()) };
}

/**
 * With the moment and the level that PostgreSQL writes before its lines; the loader writes neither. Passwords are taken
 * out. Pure.
 */
export function startLines(text: string, modified: string): LogLine[] {
  const lines: LogLine[] = [];
  for (const line of text.split("\n").filter((one) => one.trim() !== "" && !isAboutTheLog(one))) {
    const [, day, time, word = "", rest = ""] =
      /^(\S+) ([\d:.]+) \S+ \[\d+\] (?:\S+ )?([A-Z]+): +(.*)$/.exec(line) ?? [];
    const last = lines.at(-1);
    if (day === undefined || time === undefined) lines.push({ at: modified, level: "STDERR", message: redact(line) });
    else if (last !== undefined && /^(DETAIL|HINT|CONTEXT|STATEMENT)$/.test(word))
      last.message += redact(`; ${word.toLowerCase()}: ${rest}`);
    else lines.push({ at: `${day}T${time}Z`, level: word, message: redact(rest) });
  }
  return lines;
}

/** That its log goes on elsewhere is no news. */
export const isAboutTheLog = (line: string): boolean => /redirecting log|Future log|ending log output/.test(line);
