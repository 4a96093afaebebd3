import { constants, type Dirent, type Stats } from "node:fs";
import { type FileHandle, copyFile, lstat, open, opendir, rename, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { serialiseBy } from "../../base/serialise.ts";
import { fail, isCode } from "../../errors/error.ts";
import { type Owner, removeTree } from "./files.ts";
import { remember, remembered } from "./remembered.ts";

/**
 * Files below a directory that a user with fewer rights may own: PostgreSQL's, where perchd is root. Each function
 * takes a directory whose name only perchd's user can change, and a path below it. Each part of that path is opened
 * from the one before it and never followed as a link, so a directory that is swapped for a link meanwhile leads
 * nowhere. What is read must be a regular file of a bounded size that is not ours by a hard link. Rejects with
 * `file_strange`.
 */

/** No file that Perch reads there is longer, but logs. */
const usualBytes = 1024 * 1024;

const own = (): number => process.getuid?.() ?? 0;

/**
 * Opens every directory down to the last part of the path, and gives the act a path that leads there whatever its
 * parents are called by now.
 */
async function reach<T>(directory: string, path: string, act: (at: string, top: Stats) => Promise<T>): Promise<T> {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".."))
    throw fail("internal", { why: `"${path}" is no path below a directory` });
  const last = parts.pop() ?? "";
  const opened: FileHandle[] = [];
  try {
    let at = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    opened.push(at);
    const top = await at.stat();
    if (process.platform !== "linux") return await act(join(directory, path), top);
    for (const part of parts) opened.push((at = await openDirectory(through(at, part))));
    return await act(through(at, last), top);
  } finally {
    for (const one of opened) await one.close();
  }
}

const through = (directory: FileHandle, name: string): string => `/proc/self/fd/${directory.fd}/${name}`;

export const openDirectory = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);

const strange = (directory: string, path: string, why: string, cause?: unknown) =>
  fail("file_strange", { path: join(directory, path), why }, cause);

/** What the system said, as an error about the file; undefined for one that is not there. */
function noneThere(directory: string, path: string): (error: NodeJS.ErrnoException) => undefined {
  return (error) => {
    if (error.code === "ENOENT") return undefined;
    if (error.code === "ELOOP") throw strange(directory, path, "it is a symbolic link", error);
    if (error.code === "ENOTDIR") throw strange(directory, path, "a part of its path is not a directory", error);
    if (error.code === "ENXIO") throw strange(directory, path, "it is a socket or a pipe", error);
    throw error;
  };
}

const kindOf = (found: Stats): string =>
  found.isDirectory() ? "a directory" : found.isFIFO() ? "a pipe" : found.isSocket() ? "a socket" : "a device";

/** Runs the act on the open file; undefined when there is none. */
async function withFile<T>(
  directory: string,
  path: string,
  act: (file: FileHandle, found: Stats) => Promise<T>,
): Promise<T | undefined> {
  return reach(directory, path, async (at, top) => {
    // Without O_NONBLOCK a pipe would be waited for until somebody writes into it.
    const file = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile()) throw strange(directory, path, `it is ${kindOf(found)}, not a file`);
      // A hard link gives a file another name: who may not read it has perchd read it.
      if (found.uid !== top.uid && (found.uid === own() || found.nlink > 1))
        throw strange(directory, path, `it belongs to another user (uid ${found.uid})`);
      return await act(file, found);
    } finally {
      await file.close();
    }
  }).catch(noneThere(directory, path));
}

/** What the file holds; undefined when there is none. `last`: of a longer one its end, in place of an error. */
export async function readBytesBelow(
  directory: string,
  path: string,
  options: { atMost?: number; last?: boolean } = {},
): Promise<Buffer | undefined> {
  const { atMost = usualBytes, last = false } = options;
  // Further down, a directory on the way may have become a link.
  const place = path.includes("/") || last ? undefined : join(directory, path);
  const before = place === undefined ? undefined : await remembered(place);
  if (before !== undefined && before.length <= atMost) return before;
  return withFile(directory, path, async (file, { size }) => {
    if (size > atMost && !last) throw strange(directory, path, `it has ${size} bytes, and at most ${atMost} are read`);
    const found = place === undefined ? undefined : await file.stat({ bigint: true });
    const bytes = await readRange(file, Math.max(0, size - atMost), Math.min(size, atMost));
    if (place !== undefined && found !== undefined) remember(place, found, bytes);
    return bytes;
  });
}

/** So many bytes from there, or those there are. */
async function readRange(file: FileHandle, from: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, from);
  return buffer.subarray(0, bytesRead);
}

/** The text of a file; undefined when there is none. */
export const readBelow = async (
  directory: string,
  path: string,
  options: { atMost?: number; last?: boolean } = {},
): Promise<string | undefined> => (await readBytesBelow(directory, path, options))?.toString("utf8");

/** A part of a file that may be long. */
export const readPartBelow = (
  directory: string,
  path: string,
  from: number,
  bytes: number,
): Promise<Buffer | undefined> => withFile(directory, path, (file) => readRange(file, from, bytes));

/** Whether the file says just this. What cannot be read for one does not: `onStrange` hears why. */
export async function saysBelow(
  directory: string,
  path: string,
  content: string,
  onStrange?: (error: Error) => void,
): Promise<boolean> {
  const text = await readBelow(directory, path).catch((error: Error) => {
    unlessStrange(error);
    onStrange?.(error);
  });
  return text === content;
}

/** For `catch`: what is no file of its own is as good as none. */
export function unlessStrange(error: unknown): undefined {
  if (!isCode(error, "file_strange")) throw error;
}

/** As in `writeWhole`. */
const inTurn = serialiseBy();

/**
 * Writes the file whole or not at all, as the owner of the directory's; whatever had its name is replaced, and followed
 * nowhere.
 */
export const writeBelow = (directory: string, path: string, content: string, mode = 0o600): Promise<void> =>
  inTurn(resolve(directory, path), () => write(directory, path, content, mode));

async function write(directory: string, path: string, content: string, mode: number): Promise<void> {
  await removeIfDirectory(directory, path);
  await reach(directory, path, async (at, top) => {
    const beside = `${at}.new-${process.pid}`;
    await removeTree(beside);
    const file = await open(beside, "wx", mode);
    try {
      await file.chmod(mode); // whatever the umask is, and before anything is in it
      await file.writeFile(content);
      if (top.uid !== own()) await file.chown(top.uid, top.gid);
      await file.sync();
    } catch (error) {
      await file.close();
      // It may be gone; what failed first is thrown.
      await unlink(beside).catch(() => undefined);
      throw error;
    }
    await file.close();
    await rename(beside, at);
    // What cannot be opened is refused by what follows.
    const parent = await open(join(at, ".."), constants.O_RDONLY | constants.O_DIRECTORY).catch(() => undefined);
    await parent?.sync().finally(() => parent.close());
  }).catch((error: NodeJS.ErrnoException) => {
    noneThere(directory, path)(error);
    throw error;
  });
}

async function removeIfDirectory(directory: string, path: string): Promise<void> {
  if ((await lookBelow(directory, path))?.isDirectory() === true) await removeBelow(directory, path);
}

/** A new file for a program's output, of the directory's owner; what had its name goes. */
export async function createBelow(directory: string, path: string): Promise<FileHandle> {
  await removeBelow(directory, path);
  return reach(directory, path, async (at, top) => {
    const file = await open(at, "wx", 0o600);
    if (top.uid !== own()) await file.chown(top.uid, top.gid);
    return file;
  });
}

/** Takes away what has this name, a directory with all in it, too. */
export const removeBelow = (directory: string, path: string): Promise<void> =>
  reach(directory, path, (at) => removeTree(at)).catch(noneThere(directory, path));

/** What has this name, a link as a link. */
export const lookBelow = (directory: string, path: string): Promise<Stats | undefined> =>
  reach(directory, path, (at) => lstat(at)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    return undefined;
  });

/** Whether anything has this name. */
export const isBelow = async (directory: string, path: string): Promise<boolean> =>
  (await lookBelow(directory, path)) !== undefined;

/**
 * The names in a directory, "" for the one that was given; none where it is not there. More than `atMost` are an error.
 */
export async function listBelow(directory: string, path: string, atMost = 100_000): Promise<Dirent[]> {
  const list = async (at: string): Promise<Dirent[]> => {
    const found: Dirent[] = [];
    for await (const entry of await opendir(at)) {
      if (found.push(entry) > atMost) throw strange(directory, path, `it holds more than ${atMost} files`);
    }
    return found;
  };
  if (path === "")
    return list(directory).catch((error: NodeJS.ErrnoException) => noneThere(directory, path)(error) ?? []);
  const inside = reach(directory, path, async (at) => {
    if (process.platform !== "linux") return list(at);
    const opened = await openDirectory(at);
    return list(`/proc/self/fd/${opened.fd}`).finally(() => opened.close());
  });
  return (await inside.catch(noneThere(directory, path))) ?? [];
}

/**
 * Copies a file to a path in a directory of our own, for that owner, sharing the blocks where the file system can.
 * Gives whether there was one.
 */
export async function copyFromBelow(
  directory: string,
  path: string,
  to: string,
  owner: Owner | undefined,
): Promise<boolean> {
  const copied = await withFile(directory, path, async (file) => {
    await copyFile(
      process.platform === "linux" ? `/proc/self/fd/${file.fd}` : join(directory, path),
      to,
      constants.COPYFILE_FICLONE,
    );
    const copy = await open(to, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      await copy.chmod(0o600);
      if (owner !== undefined) await copy.chown(owner.uid, owner.gid);
    } finally {
      await copy.close();
    }
    return true;
  });
  return copied === true;
}
