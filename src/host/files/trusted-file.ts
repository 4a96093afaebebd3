import { constants } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isRoot } from "../system/home.ts";
import { strangerInGroup } from "./group-writers.ts";

/**
 * A file that is obeyed because of where it lies, such as perch.toml, is obeyed only where no other user could have put
 * it there or changed it: neither the file, nor a directory above it, nor one above a link that led to it.
 */
export type Trusted = { text: string } | { distrust: string };

const sticky = 0o1000;
const largest = 1024 * 1024;

/** Undefined where there is none. Rejects where it cannot be read. */
export async function readTrusted(path: string): Promise<Trusted | undefined> {
  const real = await realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (real === undefined) return undefined;
  // The directory that was meant, as well as the one that a link in it leads to.
  const chains = new Set([...above(await realpath(dirname(path))), ...above(dirname(real))]);
  for (const directory of chains) {
    const why = distrusted(directory, await stat(directory));
    if (why !== undefined) return { distrust: why };
  }
  const file = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    const why = !found.isFile()
      ? `${real} is no file`
      : found.size > largest
        ? `${real} is larger than 1 MiB`
        : distrusted(real, found);
    return why === undefined ? { text: await file.readFile("utf8") } : { distrust: why };
  } finally {
    await file.close();
  }
}

function above(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...above(parent)];
}

interface Found {
  uid: number;
  gid: number;
  mode: number;
  isDirectory(): boolean;
}

function distrusted(path: string, found: Found): string | undefined {
  if (!trustedUsers().includes(found.uid)) return `${path} belongs to user ${found.uid}`;
  // In a sticky directory nobody takes away or renames what is another's.
  const guarded = found.isDirectory() && (found.mode & sticky) !== 0;
  if ((found.mode & 0o002) !== 0 && !guarded) return `every user can write to ${path}`;
  if ((found.mode & 0o020) !== 0 && !guarded && strangerInGroup(found.gid, new Set(trustedUsers())) !== undefined)
    return `group ${found.gid} can write to ${path}`;
  return undefined;
}

/** Us, root, and who became root by sudo. */
function trustedUsers(): number[] {
  const sudo = Number(process.env["SUDO_UID"]);
  const caller = isRoot() && process.env["SUDO_UID"] !== undefined && Number.isInteger(sudo) ? [sudo] : [];
  return [0, process.getuid?.() ?? 0, ...caller];
}
