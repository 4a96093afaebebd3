import { constants } from "node:fs";
import { access, chmod, chown, copyFile, mkdir, open, readFile, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fail } from "../errors/error.ts";

/** Files as Perch writes them: whole or not at all, closed to others. */

export interface Owner {
  uid: number;
  gid: number;
}

/**
 * Writes beside, syncs, renames: a reader sees the old file or the new one. Mode 0600 unless told. In a directory where somebody else may write, a link that lies
 * in the way is not followed.
 */
export async function writeWhole(path: string, content: string, options: { mode?: number; owner?: Owner } = {}): Promise<void> {
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

/** The text of a file; undefined when there is none. */
export const readText = (path: string): Promise<string | undefined> => readFile(path, "utf8").catch(noneThere);

/** The same where somebody else may write: what he links to is not ours to read for him. */
export const readUnlinked = (path: string): Promise<string | undefined> =>
  readFile(path, { encoding: "utf8", flag: constants.O_RDONLY | constants.O_NOFOLLOW }).catch((error: NodeJS.ErrnoException) =>
    error.code === "ELOOP" ? undefined : noneThere(error),
  );

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
  if (made !== undefined) for (let each = resolve(path); each.startsWith(made); each = dirname(each)) await chmod(each, mode);
  if (options.owner !== undefined) await chown(path, options.owner.uid, options.owner.gid);
}

export const removeTree = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 3 });

/** Where programs lie: PATH, and the system's sbin directories, where nft is, which an ordinary user's PATH may lack. */
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

/** Makes an empty file, 0600, where there is none; a file that is there is closed to others and not opened (closing it would drop this process's locks on it). */
export async function makePrivateFile(path: string): Promise<void> {
  try {
    await (await open(path, "wx", 0o600)).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    await chmod(path, 0o600);
  }
}

/** Begins a log that got long anew, in the same file, for others have it open; what it said is kept beside it, as far as there is room. */
export async function shortenLog(path: string, bytes = 16 * 1024 * 1024): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size <= bytes) return;
  const old = `${path}.old`;
  // Half of it is no use, and on a full disk in the way.
  await copyFile(path, old).catch(() => rm(old, { force: true }).catch(() => undefined));
  await truncate(path);
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

/** A file that was not there before, 0600: made at once, so that nobody else can be first, and empty until its text is known. Rejects with `file_refused`. */
export async function newFile(path: string): Promise<{ write(text: string): Promise<void>; discard(): Promise<void> }> {
  const refused = (error: NodeJS.ErrnoException) =>
    fail("file_refused", { path, why: error.code === "EEXIST" ? "it is there already" : (reasons[error.code ?? ""] ?? error.message) }, error);
  const file = await open(path, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    throw refused(error);
  });
  const discard = async () => {
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
