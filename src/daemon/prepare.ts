import { chmod, lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { fail } from "../errors/error.ts";
import { succeeds } from "../host/command.ts";
import { makeDirectory } from "../host/files.ts";
import { type Home, isRoot } from "../host/home.ts";
import type { Place } from "../host/place.ts";
import { ensureSystemUser, type SystemUser } from "../host/users.ts";

/**
 * Makes the home and the runtime directory, and refuses those that others could have made or could write to: in /tmp anyone may have been first.
 * As root the runtime directory is open to look through, because PostgreSQL's own user must reach his sockets in it; what is secret in it has a mode
 * of its own.
 */
export async function prepareDirectories(home: Home): Promise<void> {
  const mode = isRoot() ? 0o755 : 0o700;
  for (const directory of home.root === home.base ? [home.root] : [home.base, dirname(home.root), home.root]) {
    await makeDirectory(directory);
    await refuseUnsafe(directory, 0o022);
    await chmod(directory, isRoot() ? 0o711 : 0o700); // PostgreSQL's user walks through it; each file in it has a mode of its own
  }
  for (const directory of [dirname(home.runtime), home.runtime]) {
    await makeDirectory(directory, { mode });
    await refuseUnsafe(directory, isRoot() ? 0o022 : 0o077);
    await chmod(directory, mode);
  }
  await makeDirectory(home.postgres, { mode });
  await chmod(home.postgres, mode);
}

/** Portable mode as root: nothing shows PostgreSQL's user a home that lies below a directory shut to him, so he must be able to enter it himself. */
export async function refuseUnreachable(home: Home, place: Place, user: SystemUser | undefined): Promise<void> {
  if (place.mode !== "portable" || user === undefined) return;
  for (const directory of [...above(home.postgres), home.postgres]) {
    if (!(await succeeds(place.server(["test", "-x", directory])))) throw fail("home_unreachable", { user: user.name, path: directory });
  }
}

/** Every directory above a path, outermost first. */
function above(path: string): string[] {
  const found: string[] = [];
  for (let directory = dirname(path); found[0] !== directory; directory = dirname(directory)) found.unshift(directory);
  return found;
}

async function refuseUnsafe(path: string, forbidden: number): Promise<void> {
  const found = await lstat(path);
  const uid = process.getuid?.() ?? found.uid;
  const why = found.isSymbolicLink()
    ? "it is a symbolic link"
    : !found.isDirectory()
      ? "it is no directory"
      : found.uid !== uid
        ? "it belongs to another user"
        : (found.mode & forbidden) !== 0
          ? `others may ${(found.mode & 0o022) === 0 ? "read" : "write to"} it (mode ${(found.mode & 0o777).toString(8)})`
          : undefined;
  if (why !== undefined) throw fail("home_unsafe", { path, why });
}

/** The system user PostgreSQL runs as where perchd is root; undefined where it is perchd's own. */
export async function serverUser(): Promise<SystemUser | undefined> {
  if (!isRoot()) return undefined;
  const user = await ensureSystemUser("postgres");
  if (user === undefined) throw fail("user_missing", { user: "postgres" });
  return user;
}
