import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";

/**
 * What small files held when they were read, for as long as they are the same: a loop that looks at twenty of them
 * every five seconds asks for each whether it has changed, which is one question to the system in place of seven. A
 * file is the same when its inode, owner, links, size and both its times are. Its ctime is the kernel's, which a writer
 * cannot set.
 */
const known = new Map<string, { mark: string; bytes: Buffer }>();

const longest = 64 * 1024;
const atMost = 2_000;
/**
 * The kernel's clock for files stands still for some milliseconds: what was written just now may be written again
 * within the same.
 */
const settledMs = 2_000;

const markOf = ({ dev, ino, mode, uid, nlink, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, mode, uid, nlink, size, mtimeNs, ctimeNs].join(" ");

/** A copy of what it holds; undefined where that has to be read. A link at the path is another file. */
export async function remembered(path: string): Promise<Buffer | undefined> {
  const one = known.get(path);
  if (one === undefined) return undefined;
  const found = await lstat(path, { bigint: true }).catch(() => undefined); // reading it tells why
  if (found !== undefined && markOf(found) === one.mark) return Buffer.from(one.bytes);
  known.delete(path);
  return undefined;
}

/** `found` is what the open file was before it was read. */
export function remember(path: string, found: BigIntStats, bytes: Buffer, now = Date.now()): void {
  if (bytes.length > longest || BigInt(bytes.length) !== found.size || now - Number(found.ctimeMs) < settledMs) return;
  if (known.size >= atMost) known.clear();
  known.set(path, { mark: markOf(found), bytes: Buffer.from(bytes) });
}
