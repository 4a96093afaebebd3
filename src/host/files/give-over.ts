import { constants, type Dirent, type Stats } from "node:fs";
import { type FileHandle, lstat, open, opendir, realpath, stat } from "node:fs/promises";
import { openDirectory } from "./below.ts";
import type { Owner } from "./files.ts";

/**
 * Gives what one user owns in a tree to another, as root, while that user may still be at work in it. Each directory is
 * opened from the one before it, each file is given by its descriptor, and no link is followed. What belongs to a third
 * user stays that user's. The directory itself is given last, so whose it is says whether all of it was: one that was
 * cut short is done again.
 */
export interface Handing {
  from: Owner;
  to: Owner;
}

/**
 * Gives the whole tree, or nothing: then why not. That is a file with another name outside of the tree, and a link to
 * what the first user has elsewhere, which a server may need. What a walk before this one gave is given back then.
 */
export async function giveOver(top: string, handing: Handing): Promise<string | undefined> {
  const seen = await survey(top, handing);
  const obstacle = seen.elsewhere ?? linkedOutside(seen);
  if (obstacle === undefined) await give(top, handing, seen.linked);
  else if (seen.mixed) await give(top, { from: handing.to, to: handing.from }, new Map());
  return obstacle;
}

interface Linked {
  path: string;
  links: number;
  seen: number;
}

interface Surveyed {
  /** By number: files with several names. */
  linked: Map<number, Linked>;
  elsewhere: string | undefined;
  /** Some of it is the second user's already. */
  mixed: boolean;
}

const linkedOutside = ({ linked }: Surveyed): string | undefined => {
  const found = [...linked.values()].find(({ links, seen }) => links !== seen);
  return found && `${found.path} has another name elsewhere (a hard link)`;
};

async function survey(top: string, { from, to }: Handing): Promise<Surveyed> {
  const result: Surveyed = { linked: new Map(), elsewhere: undefined, mixed: false };
  const root = await realpath(top).catch(ifGone);
  await walk(top, "", [from.uid, to.uid], {
    async entry(at, path, entry) {
      if (entry.isSymbolicLink()) {
        const target = await realpath(at).catch(ifGone);
        const found = target === undefined ? undefined : await stat(target).catch(ifGone);
        if (found?.uid === from.uid && target !== undefined && target !== root && !target.startsWith(`${root}/`))
          result.elsewhere = `${path} leads to ${target}, which lies elsewhere`;
        return;
      }
      const found = entry.isFile() ? await lstat(at).catch(ifGone) : undefined;
      if (found?.uid === to.uid) result.mixed = true;
      if (found === undefined || found.uid !== from.uid || found.nlink === 1) return;
      const known = result.linked.get(found.ino);
      if (known === undefined) result.linked.set(found.ino, { path, links: found.nlink, seen: 1 });
      else known.seen++;
    },
    async directory(_, { uid }) {
      if (uid === to.uid) result.mixed = true;
    },
  });
  return result;
}

const give = (top: string, { from, to }: Handing, linked: ReadonlyMap<number, Linked>): Promise<void> =>
  walk(top, "", [from.uid, to.uid], {
    async entry(at, _, entry) {
      if (!entry.isFile()) return;
      // Without O_NONBLOCK a pipe that has its name by now would be waited for.
      const file = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(ifGone);
      if (file === undefined) return;
      try {
        const found = await file.stat();
        if (found.isFile() && found.uid === from.uid && (found.nlink === 1 || linked.has(found.ino)))
          await file.chown(to.uid, to.gid);
      } finally {
        await file.close();
      }
    },
    async directory(handle, { uid }) {
      if (uid === from.uid) await handle.chown(to.uid, to.gid);
    },
  });

interface Visitor {
  entry(at: string, path: string, entry: Dirent): Promise<void>;
  /** After all that is in it. */
  directory(handle: FileHandle, found: Stats): Promise<void>;
}

/** Through all directories of these users. One that is gone, or no directory, is passed over. */
async function walk(at: string, path: string, uids: readonly number[], visitor: Visitor): Promise<void> {
  const handle = await openDirectory(at).catch(ifGone);
  if (handle === undefined) return;
  try {
    const found = await handle.stat();
    if (!uids.includes(found.uid)) return;
    const through = `/proc/self/fd/${handle.fd}`;
    const batch: Promise<void>[] = [];
    for await (const entry of await opendir(through)) {
      const [inner, name] = [`${through}/${entry.name}`, path === "" ? entry.name : `${path}/${entry.name}`];
      if (entry.isDirectory()) await walk(inner, name, uids, visitor);
      else if (batch.push(visitor.entry(inner, name, entry)) === atOnce) await Promise.all(batch.splice(0));
    }
    await Promise.all(batch);
    await visitor.directory(handle, found);
  } finally {
    await handle.close();
  }
}

const atOnce = 32;

/** Another took it away meanwhile, or put something else in its place: a link, a socket, a device. */
function ifGone(error: NodeJS.ErrnoException): undefined {
  if (!["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "ENODEV"].includes(error.code ?? "")) throw error;
}
