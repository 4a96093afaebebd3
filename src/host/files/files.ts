import { constants, createReadStream, createWriteStream } from "node:fs";
import {
  access,
  chmod,
  chown,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  truncate,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { serialiseBy } from "../../base/serialise.ts";
import { fail } from "../../errors/error.ts";

/** Files as Perch writes them: whole or not at all, closed to others. */

export interface Owner {
  uid: number;
  gid: number;
}

/** Two writers of one file in this process would remove each other's half beside it. */
const inTurn = serialiseBy();

/**
 * Writes beside, syncs, renames: a reader sees the old file or the new one. Mode 0600 unless told. In a directory where
 * somebody else may write, a link that lies in the way is not followed.
 */
export const writeWhole = (
  path: string,
  content: string,
  options: { mode?: number; owner?: Owner } = {},
): Promise<void> => inTurn(resolve(path), () => write(path, content, options));

async function write(path: string, content: string, options: { mode?: number; owner?: Owner }): Promise<void> {
  const beside = `${path}.new-${process.pid}`;
  const mode = options.mode ?? 0o600;
  await rm(beside, { force: true });
  const file = await open(beside, "wx", mode);
  try {
    await file.chmod(mode); // whatever the umask is, and before anything is in it
    await file.writeFile(content);
    if (options.owner !== undefined) await file.chown(options.owner.uid, options.owner.gid);
    await file.sync();
  } catch (error) {
    await file.close();
    await rm(beside, { force: true });
    throw error;
  }
  await file.close();
  await rename(beside, path);
  await syncDirectory(path);
}

/** A new name, too, must outlive a power cut: what was made, renamed or removed at this path stays so. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), "r");
  await directory.sync().finally(() => directory.close());
}

/** What was written is on the disk; a file that is not there has nothing to say. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r").catch(noneThere);
  await file?.sync().finally(() => file.close());
}

/** Nothing that Perch reads whole is longer. */
const longest = 16 * 1024 * 1024;

/**
 * The text of a file; undefined when there is none. Rejects with `file_strange` where it is a pipe, a device or very
 * long. For what lies below a directory of another user there is `below.ts`.
 */
export async function readText(path: string): Promise<string | undefined> {
  // Without O_NONBLOCK a pipe would be waited for until somebody writes into it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENXIO") throw fail("file_strange", { path, why: "it is a socket or a pipe" }, error);
    return noneThere(error);
  });
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    if (found.isDirectory()) throw Object.assign(new Error(`EISDIR: ${path} is a directory`), { code: "EISDIR", path });
    if (!found.isFile()) throw fail("file_strange", { path, why: "it is a pipe or a device, not a file" });
    if (found.size > longest) throw fail("file_strange", { path, why: `it has ${found.size} bytes` });
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

function noneThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
}

export const exists = (path: string): Promise<boolean> =>
  access(path, constants.F_OK).then(
    () => true,
    () => false,
  );

/** Makes the directory and its missing parents, 0700 unless told, owned by `owner` where one is given. */
export async function makeDirectory(path: string, options: { mode?: number; owner?: Owner } = {}): Promise<void> {
  const mode = options.mode ?? 0o700;
  const made = await mkdir(path, { recursive: true, mode });
  // Whatever the umask is.
  if (made !== undefined)
    for (let each = resolve(path); each.startsWith(made); each = dirname(each)) await chmod(each, mode);
  if (options.owner !== undefined) await chown(path, options.owner.uid, options.owner.gid);
}

/**
 * A new directory of our own, closed to all others: what is laid into it can be handed over with it, and by nobody else
 * before.
 */
export async function makePrivate(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  await chmod(path, 0o700);
}

/**
 * Gives a file or directory away by its name. Refused, as a fault of ours, where another user may change what has this
 * name: he would have us give away what he likes. What is in a directory is given away before the directory itself.
 */
export async function handOver(path: string, owner: Owner): Promise<void> {
  const above = await lstat(dirname(path));
  if (above.uid !== (process.getuid?.() ?? 0))
    throw fail("internal", { why: `${path} was to be given away below a directory of uid ${above.uid}` });
  await lchown(path, owner.uid, owner.gid);
}

/** The names in a directory of our own; none where there is none. */
export const namesIn = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);

export { removeTree } from "./remove-tree.ts";

/**
 * Where programs lie: PATH, and the system's sbin directories, where nft is, which an ordinary user's PATH may lack.
 */
export const searchPath = (path: string = process.env["PATH"] ?? ""): string[] =>
  [...path.split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"].filter((directory) => directory !== "");

/** The full path of a program, in the first directory that has it. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of searchPath()) {
    const candidate = join(directory, name);
    if (
      await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return candidate;
  }
  return undefined;
}

/**
 * Makes an empty file, 0600, where there is none; a file that is there is closed to others and not opened (closing it
 * would drop this process's locks on it).
 */
export async function makePrivateFile(path: string): Promise<void> {
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    await chmod(path, 0o600);
  }
}

/**
 * Begins a log that got long anew, in the same file, for others have it open; what it said is kept beside it, as far as
 * there is room.
 */
export async function shortenLog(path: string, bytes = 16 * 1024 * 1024): Promise<void> {
  // What is not there needs no cutting.
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size <= bytes) return;
  const old = `${path}.old`;
  // Half of it is no use, and on a full disk in the way.
  await copyEnd(path, old, found.size, bytes).catch(() => rm(old, { force: true }).catch(() => undefined));
  await truncate(path);
}

/** Its last so many bytes: who writes it may have made it as long as he likes, with nothing in it. */
async function copyEnd(path: string, to: string, size: number, bytes: number): Promise<void> {
  const start = Math.max(0, size - 4 * bytes);
  await pipeline(createReadStream(path, { start, end: size - 1 }), createWriteStream(to, { mode: 0o600 }));
}

/** The permission bits of a file, such as 0o600; undefined when there is none. */
export async function permissions(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.mode & 0o777,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw error;
    },
  );
}

/**
 * A file that was not there before, 0600: made at once, so that nobody else can be first, and empty until its text is
 * known. Rejects with `file_refused`.
 */
export async function newFile(path: string): Promise<{ write(text: string): Promise<void>; discard(): Promise<void> }> {
  const refused = (error: NodeJS.ErrnoException) =>
    fail(
      "file_refused",
      { path, why: error.code === "EEXIST" ? "it is there already" : (reasons[error.code ?? ""] ?? error.message) },
      error,
    );
  const file = await open(path, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    throw refused(error);
  });
  const discard = async () => {
    // What was written counts; the descriptor goes with the process.
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
  };
  return {
    async write(text) {
      try {
        await file.chmod(0o600);
        await file.writeFile(text);
        await file.sync();
        await file.close();
      } catch (error) {
        await discard();
        throw refused(error as NodeJS.ErrnoException);
      }
    },
    discard,
  };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "its directory does not exist",
  EACCES: "permission denied",
  ENOSPC: "the disk is full",
  EROFS: "the file system is read-only",
};
