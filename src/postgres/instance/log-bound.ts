import { basename } from "node:path";
import { steadyNow } from "../../base/clock.ts";
import { listBelow, lookBelow, readBelow, removeBelow, unlessStrange } from "../../host/files/below.ts";
import type { Layout } from "./directory.ts";

/**
 * How much of a server's log is kept. PostgreSQL begins a new file at a size and each day (`settings.ts`), and never
 * takes one away; perchd does, the oldest first. The files of 0.1.0, one a weekday, count like the others.
 */
export interface LogBound {
  /** Of all the files of one server together. */
  bytes: number;
  ageMs: number;
  files: number;
}

const megabyte = 1024 * 1024;
export const logBound: LogBound = { bytes: 256 * megabyte, ageMs: 14 * 24 * 60 * 60 * 1000, files: 200 };

export interface LogFileFacts {
  name: string;
  bytes: number;
  /** Milliseconds since 1970. */
  modified: number;
}

/**
 * Which files go: the oldest, until the rest is within the bound. Never one that is being written, nor the newest of
 * its kind. Pure.
 */
export function logsToRemove(
  files: readonly LogFileFacts[],
  written: ReadonlySet<string>,
  now: number,
  bound: LogBound,
): string[] {
  const newestFirst = files.toSorted((a, b) => b.modified - a.modified || (a.name < b.name ? 1 : -1));
  const kinds = new Set<string>();
  const stays = new Set(written);
  for (const { name } of newestFirst) {
    const kind = name.slice(name.lastIndexOf("."));
    if (!kinds.has(kind)) stays.add(name);
    kinds.add(kind);
  }
  const staying = newestFirst.filter(({ name }) => stays.has(name));
  let bytes = staying.reduce((sum, file) => sum + file.bytes, 0);
  let count = staying.length;
  let full = false;
  const going: string[] = [];
  for (const file of newestFirst.filter(({ name }) => !stays.has(name))) {
    bytes += file.bytes;
    count += 1;
    full ||= bytes > bound.bytes || count > bound.files || now - file.modified > bound.ageMs;
    if (full) going.push(file.name);
  }
  return going.toReversed();
}

/** Files as PostgreSQL names them here; what else lies there is somebody's own and stays. */
const ours = /^postgresql-[\w-]+\.(?:json|log)$/;

/** Takes away what is beyond the bound, and gives the names. */
export async function boundLog(at: Layout, bound: LogBound = logBound): Promise<string[]> {
  const names = (await listBelow(at.log, "")).map(({ name }) => name).filter((name) => ours.test(name));
  const found = await Promise.all(
    names.map(async (name): Promise<LogFileFacts | undefined> => {
      const facts = await lookBelow(at.log, name);
      return facts?.isFile() === true ? { name, bytes: facts.size, modified: facts.mtimeMs } : undefined;
    }),
  );
  const files = found.filter((file) => file !== undefined);
  const going = logsToRemove(files, await filesWritten(at), Date.now(), bound);
  for (const name of going) await removeBelow(at.log, name);
  return going;
}

/**
 * How long a directory of logs is left alone in which no file has come: those that are there grow by one file's size at
 * most, and age.
 */
const leaveMs = 60_000;

/** Keeps the logs of servers within the bound: looks at each file when one has come, and once a minute. */
export function logsBounded(
  bound: LogBound = logBound,
  now: () => number = steadyNow,
): (at: Layout) => Promise<string[]> {
  const seen = new Map<string, { changed: number; until: number }>();
  return async (at) => {
    const changed = (await lookBelow(at.root, basename(at.log)))?.ctimeMs ?? 0;
    const before = seen.get(at.log);
    if (before?.changed === changed && now() < before.until) return [];
    const gone = await boundLog(at, bound);
    seen.set(at.log, { changed, until: now() + leaveMs });
    return gone;
  };
}

/** PostgreSQL says in `current_logfiles` where it writes: a kind and a path in each line. */
async function filesWritten(at: Layout): Promise<Set<string>> {
  const text = (await readBelow(at.data, "current_logfiles").catch(unlessStrange)) ?? "";
  return new Set(text.split("\n").map((line) => basename(line)));
}
