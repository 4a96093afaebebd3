import { constants, type Dirent } from "node:fs";
import { type FileHandle, lstat, open, opendir, rename, rm, rmdir, unlink } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { randomBytes } from "node:crypto";

/**
 * Takes away a file, or a directory with all in it; what is not there is gone already. Who owns a directory in it may
 * change it meanwhile: each directory is opened as itself, never by a link, and what is removed is named from there. A
 * directory further down is first moved to the top, so that neither the depth of a tree nor its width takes more than
 * two open directories.
 */
export async function removeTree(path: string): Promise<void> {
  if (process.platform !== "linux") return rm(path, { recursive: true, force: true, maxRetries: 3 });
  const parent = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY).catch(ifThere);
  if (parent === undefined) return;
  try {
    const at = through(parent, basename(path));
    const found = await lstat(at).catch(ifThere);
    if (found?.isDirectory() !== true) {
      await unlink(at).catch(ifThere);
    } else {
      await empty(at, (await parent.stat()).uid);
      await rmdir(at).catch(ifThere);
    }
  } finally {
    await parent.close();
  }
}

const through = (directory: FileHandle, name: string): string => `/proc/self/fd/${directory.fd}/${name}`;

const openItself = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);

/** What another put in its place meanwhile is looked at in the next turn. */
function ifThere(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT" && error.code !== "ENOTDIR" && error.code !== "EISDIR") throw error;
}

/** A directory that is still full, by the name it has at the top, and the owner of the one it lay in. */
interface Full {
  name: string;
  within: number;
}

async function empty(path: string, within: number): Promise<void> {
  const top = await openItself(path);
  try {
    const { uid } = await top.stat();
    if (within !== own() && uid === own()) return;
    for (let turn = 0; ; turn++) {
      const full: Full[] = [];
      const some = await removeFiles(top, async (name) => void full.push({ name, within: uid }));
      for (const one of full) await removeOne(top, one, full);
      if (!some) return;
      if (turn === turnsAtMost)
        throw Object.assign(new Error(`ENOTEMPTY: files are made in ${path} while it is removed`), {
          code: "ENOTEMPTY",
        });
    }
  } finally {
    await top.close();
  }
}

/** Removes what is at the top; the directories in it are moved to the top and added to what is still to do. */
async function removeOne(top: FileHandle, { name, within }: Full, full: Full[]): Promise<void> {
  const at = through(top, name);
  const directory = await openItself(at).catch(ifThere);
  if (directory === undefined) return unlink(at).catch(ifThere); // it is no directory any more
  try {
    const { uid } = await directory.stat();
    // Below a directory of somebody else's, one of our own was moved there by him: what is in it is not his to have
    // removed.
    if (within !== own() && uid === own()) return await rmdir(at).catch(ifThere);
    for (let turn = 0; turn < turnsAtMost; turn++) {
      const some = await removeFiles(directory, async (inner) => {
        const moved = `.gone-${randomBytes(6).toString("hex")}`;
        await rename(through(directory, inner), through(top, moved)).catch(ifThere);
        full.push({ name: moved, within: uid });
      });
      if (!some) break;
    }
  } finally {
    await directory.close();
  }
  await rmdir(at).catch(ifThere);
}

const own = (): number => process.getuid?.() ?? 0;

/**
 * Unlinks the files of one directory, so many at a time, and hands its directories on. Gives whether there were any.
 */
async function removeFiles(directory: FileHandle, onDirectory: (name: string) => Promise<void>): Promise<boolean> {
  const found: Dirent[] = [];
  for await (const entry of await opendir(`/proc/self/fd/${directory.fd}`)) if (found.push(entry) === atOnce) break;
  for (const entry of found) if (entry.isDirectory()) await onDirectory(entry.name);
  await Promise.all(
    found.filter((entry) => !entry.isDirectory()).map((entry) => unlink(through(directory, entry.name)).catch(ifThere)),
  );
  return found.length > 0;
}

const atOnce = 4_096;
/** Who makes files faster than they go does not keep us for ever. */
const turnsAtMost = 10_000;
