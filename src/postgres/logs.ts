import { pause } from "../base/deadline.ts";
import { listBelow, lookBelow, readPartBelow } from "../host/below.ts";
import { type LogLine, parseLogLine } from "./log-line.ts";

/**
 * The log of one server: a ring of seven files, one a weekday, each emptied when its day comes round again. Lines are read from the end backwards, then
 * followed by looking every 250 ms, whichever file is the newest by then. The directory is PostgreSQL's user's, who may have put there what he likes: no link
 * is followed, no pipe is waited for, and no more is read at a time than a line may be long.
 */
interface LogFile {
  directory: string;
  name: string;
  modified: number;
  size: number;
  inode: number;
}

/** The last `count` lines, oldest first. */
export async function lastLogLines(directory: string, count: number): Promise<LogLine[]> {
  return readLast(await logFiles(directory), count);
}

/** The last lines, and from there every new one until the signal aborts. None is missed between the two and none comes twice. */
export async function* followLog(directory: string, last: number, signal: AbortSignal): AsyncGenerator<LogLine> {
  let files = await logFiles(directory);
  yield* await readLast(files, last);
  let reading = files.at(-1);
  let offset = reading?.size ?? 0;
  let rest = reading === undefined ? Buffer.alloc(0) : await halfLine(reading);
  while (!signal.aborted) {
    files = await logFiles(directory);
    const now = files.find((file) => file.inode === reading?.inode);
    // Emptied: its day has come again.
    if (now !== undefined && now.size < offset) [offset, rest] = [0, Buffer.alloc(0)];
    // More than can have been said since: somebody made it that long.
    if (now !== undefined && now.size - offset > 4 * longestLine) [offset, rest] = [now.size - longestLine, Buffer.alloc(0)];
    const fresh = now !== undefined && now.size > offset ? await readRange(now, offset, now.size) : Buffer.alloc(0);
    if (fresh.length > 0) {
      offset += fresh.length;
      const whole = Buffer.concat([rest, fresh]);
      const end = whole.lastIndexOf(newline) + 1;
      rest = whole.length - end > longestLine ? Buffer.alloc(0) : whole.subarray(end);
      yield* parse(whole.subarray(0, end));
      continue;
    }
    const newest = files.at(-1);
    if (newest !== undefined && newest.inode !== reading?.inode) {
      [reading, offset, rest] = [newest, 0, Buffer.alloc(0)];
      continue;
    }
    await pause(250, signal).catch(() => undefined);
  }
}

const newline = 0x0a;
const block = 65_536;
/** A longer line is none of PostgreSQL's that is shown. */
const longestLine = 8 * 1024 * 1024;
/** A ring has eight files; more are somebody's own. */
const filesAtMost = 1_000;

/** Oldest first. */
async function logFiles(directory: string): Promise<LogFile[]> {
  const names = (await listBelow(directory, "", filesAtMost)).map(({ name }) => name).filter((name) => name.endsWith(".json"));
  const found = await Promise.all(
    names.map(async (name): Promise<LogFile | undefined> => {
      const facts = await lookBelow(directory, name);
      return facts?.isFile() !== true ? undefined : { directory, name, modified: facts.mtimeMs, size: facts.size, inode: facts.ino };
    }),
  );
  return found.filter((file) => file !== undefined).toSorted((a, b) => a.modified - b.modified);
}

async function readLast(files: readonly LogFile[], count: number): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for (const file of files.toReversed()) {
    if (lines.length >= count) break;
    lines.unshift(...(await tail(file, count - lines.length)));
  }
  return count === 0 ? [] : lines.slice(-count);
}

/** The last lines of one file, read backwards so far as they need. */
async function tail(file: LogFile, count: number): Promise<LogLine[]> {
  for (let bytes = block; ; bytes *= 4) {
    const from = Math.max(0, file.size - bytes);
    const text = await readRange(file, from, file.size);
    // Unless it is the beginning of the file, the first line may be half a line.
    const lines = parse(from === 0 ? text : text.subarray(text.indexOf(newline) + 1));
    if (lines.length >= count || from === 0 || bytes >= 4 * longestLine) return lines.slice(-count);
  }
}

/** What follows the last newline: the rest of that line is still being written. */
async function halfLine(file: LogFile): Promise<Buffer> {
  const end = await readRange(file, Math.max(0, file.size - block), file.size);
  return end.subarray(end.lastIndexOf(newline) + 1);
}

const parse = (text: Buffer): LogLine[] =>
  text
    .toString("utf8")
    .split("\n")
    .map(parseLogLine)
    .filter((line) => line !== undefined);

/** What there is of it, or the first part of that: the file may have been emptied since, or be another's. */
const readRange = async ({ directory, name }: LogFile, from: number, to: number): Promise<Buffer> =>
  (await readPartBelow(directory, name, from, Math.min(to - from, 4 * longestLine)).catch(() => undefined)) ?? Buffer.alloc(0);
