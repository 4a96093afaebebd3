import { pause } from "../../base/deadline.ts";
import { listBelow, lookBelow, readPartBelow } from "../../host/files/below.ts";
import { type LogLine, parseLogLine } from "./log-line.ts";

/**
 * The log of one server: files of which each begins when the one before it is full, or its day over (`log-bound.ts`
 * says how many there are). Lines are read from the end backwards, then followed by looking every 250 ms, through every
 * file that has come since. The directory is PostgreSQL's user's, who may have put there what he likes: no link is
 * followed, no pipe is waited for, and no more is read at a time than a line may be long.
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

/**
 * The last lines, and from there every new one until the signal aborts. None is missed between the two and none comes
 * twice.
 */
export async function* followLog(directory: string, last: number, signal: AbortSignal): AsyncGenerator<LogLine> {
  const { past, follow } = await beginLog(directory, last);
  yield* past;
  yield* follow(signal);
}

/** The same in two parts, for who has something to do between them: what comes meanwhile is not missed. */
export async function beginLog(
  directory: string,
  last: number,
): Promise<{ past: LogLine[]; follow(signal: AbortSignal): AsyncGenerator<LogLine> }> {
  const files = await logFiles(directory);
  const reading = files.at(-1);
  const [past, rest] = [await readLast(files, last), reading === undefined ? Buffer.alloc(0) : await halfLine(reading)];
  return { past, follow: (signal) => followFrom(directory, reading, rest, signal) };
}

async function* followFrom(
  directory: string,
  begin: LogFile | undefined,
  half: Buffer,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  let [reading, offset, rest] = [begin, begin?.size ?? 0, half];
  while (!signal.aborted) {
    const files = await logFiles(directory);
    const now = files.find((file) => reading !== undefined && isSame(file, reading));
    // Emptied, as a file of 0.1.0 was when its weekday came again.
    if (now !== undefined && now.size < offset) [offset, rest] = [0, Buffer.alloc(0)];
    // More than can have been said since: somebody made it that long.
    if (now !== undefined && now.size - offset > 4 * longestLine)
      [offset, rest] = [now.size - longestLine, Buffer.alloc(0)];
    const fresh =
      now !== undefined && now.size > offset
        ? await readRange(now, offset, Math.min(now.size, offset + piece))
        : Buffer.alloc(0);
    reading = now ?? reading;
    if (fresh.length > 0) {
      offset += fresh.length;
      const whole = Buffer.concat([rest, fresh]);
      const end = whole.lastIndexOf(newline) + 1;
      rest = whole.length - end > longestLine ? Buffer.alloc(0) : whole.subarray(end);
      yield* parse(whole.subarray(0, end));
      continue;
    }
    // The list is older than what it says of each file: with a later file in it, this one had all it will ever have.
    const next = files.find((file) => reading === undefined || inOrder(reading, file) < 0);
    if (next !== undefined) {
      [reading, offset, rest] = [next, 0, Buffer.alloc(0)];
      continue;
    }
    // Aborted: the loop looks at the signal.
    await pause(250, signal).catch(() => undefined);
  }
}

/** A number alone may be that of a new file, when the old one was taken away. */
const isSame = (a: LogFile, b: LogFile): boolean => a.inode === b.inode && a.name === b.name;
/**
 * Files that were written last in the same tick of the clock are in the order of their names, which say when each
 * began.
 */
const inOrder = (a: LogFile, b: LogFile): number =>
  a.modified - b.modified || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.inode - b.inode);

const newline = 0x0a;
const block = 65_536;
/** So much is read at a time of what is new. */
const piece = 1024 * 1024;
/** A longer line is none of PostgreSQL's that is shown. */
const longestLine = 8 * 1024 * 1024;
/** There are hundreds at most; more are somebody's own. */
const filesAtMost = 1_000;

/** Oldest first. */
async function logFiles(directory: string): Promise<LogFile[]> {
  const names = (await listBelow(directory, "", filesAtMost))
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".json"));
  const found = await Promise.all(
    names.map(async (name): Promise<LogFile | undefined> => {
      const facts = await lookBelow(directory, name);
      return facts?.isFile() !== true
        ? undefined
        : { directory, name, modified: facts.mtimeMs, size: facts.size, inode: facts.ino };
    }),
  );
  return found.filter((file) => file !== undefined).toSorted(inOrder);
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
  // The file may have been put away meanwhile: the next look reads the next one.
  (await readPartBelow(directory, name, from, Math.min(to - from, 4 * longestLine)).catch(() => undefined)) ??
  Buffer.alloc(0);
