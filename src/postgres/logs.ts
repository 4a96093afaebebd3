import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../base/deadline.ts";
import { type LogLine, parseLogLine } from "./log-line.ts";

/**
 * The log of one server: a ring of seven files, one a weekday, each emptied when its day comes round again. Lines are read from the end backwards, then
 * followed by looking every 250 ms, whichever file is the newest by then.
 */
interface LogFile {
  path: string;
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
    if (now !== undefined && now.size > offset) {
      const fresh = await readRange(now.path, offset, now.size);
      offset += fresh.length;
      const whole = Buffer.concat([rest, fresh]);
      const end = whole.lastIndexOf(newline) + 1;
      rest = whole.subarray(end);
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

/** Oldest first. */
async function logFiles(directory: string): Promise<LogFile[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith(".json"));
  const found = await Promise.all(
    names.map(async (name): Promise<LogFile | undefined> => {
      const path = join(directory, name);
      const facts = await lstat(path).catch(() => undefined);
      return facts?.isFile() !== true ? undefined : { path, modified: facts.mtimeMs, size: facts.size, inode: facts.ino };
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
    const text = await readRange(file.path, from, file.size);
    // Unless it is the beginning of the file, the first line may be half a line.
    const lines = parse(from === 0 ? text : text.subarray(text.indexOf(newline) + 1));
    if (lines.length >= count || from === 0) return lines.slice(-count);
  }
}

/** What follows the last newline: the rest of that line is still being written. */
async function halfLine(file: LogFile): Promise<Buffer> {
  const end = await readRange(file.path, Math.max(0, file.size - block), file.size);
  return end.subarray(end.lastIndexOf(newline) + 1);
}

const parse = (text: Buffer): LogLine[] =>
  text
    .toString("utf8")
    .split("\n")
    .map(parseLogLine)
    .filter((line) => line !== undefined);

/** What there is of it: the file may have been emptied since. */
async function readRange(path: string, from: number, to: number): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    return buffer.subarray(0, bytesRead);
  } catch {
    return Buffer.alloc(0);
  } finally {
    await file?.close();
  }
}
