import { chmod, lstat } from "node:fs/promises";
import { dirname } from "node:path";
import { fail } from "../errors/error.ts";
import { makeDirectory } from "../host/files.ts";
import { type Home, isRoot } from "../host/home.ts";
import { ensureSystemUser, type SystemUser } from "../host/users.ts";

/**
 * Makes the home and the runtime directory, and refuses those that others could have made or could write to: in /tmp anyone may have been first.
 * As root the runtime directory is open to look through, because PostgreSQL's own user must reach his sockets in it; what is secret in it has a mode
 * of its own.
 */
export async function prepareDirectories(home: Home): Promise<void> {
  await makeDirectory(home.root);
  await refuseUnsafe(home.root, 0o022);
  const mode = isRoot() ? 0o755 : 0o700;
  for (const directory of [dirname(home.runtime), home.runtime]) {
    await makeDirectory(directory, { mode });
    await refuseUnsafe(directory, isRoot() ? 0o022 : 0o077);
    await chmod(directory, mode);
  }
  await makeDirectory(home.postgres, { mode });
  await chmod(home.postgres, mode);
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
