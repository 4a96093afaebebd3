import { chmod, lchown, lstat, readdir, stat } from "node:fs/promises";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { fail } from "../errors/error.ts";
import { type Found, unsafe } from "../host/files/closed.ts";
import { type Owners, ruleOf, type tables } from "./modes.ts";

/**
 * Looks at everything of Perch's below a directory and refuses, with `home_unsafe`, what others may read or change,
 * what is somebody else's, and links that somebody else laid. Directories that others may only list have told names, no
 * more: they are shut. What PostgreSQL's user owns is looked at from outside: it is shut to others, and perchd follows
 * no link in it.
 */
export async function inspect(table: keyof typeof tables, root: string, owners: Owners, path = ""): Promise<void> {
  if (!(await inspectOne(table, root, owners, path))) return;
  // Each network looks at its own home, and a program that can be read by everybody is none to hide.
  if (/^networks\/|^postgres\/tools/.test(path)) return;
  for (const name of await readdir(join(root, path)))
    await inspect(table, root, owners, path === "" ? name : `${path}/${name}`);
}

/** Gives whether it is a directory of perchd's own. */
export async function inspectOne(
  table: keyof typeof tables,
  root: string,
  owners: Owners,
  path = "",
): Promise<boolean> {
  const at = path === "" ? root : join(root, path);
  const rule = ruleOf(table, path, owners);
  const found = rule && (await lookAt(at));
  if (rule === undefined || found === undefined) return false;
  const ofServer = [owners.server, owners.former].includes(found.uid) && found.uid !== owners.own;
  if (memberRoot.test(path) && found.kind === "directory" && ofServer) {
    // A Perch before this one gave it to PostgreSQL's user. The directory that it lies in is perchd's: nobody else
    // changes what has this name.
    await lchown(at, owners.own, process.getgid?.() ?? 0);
    found.uid = owners.own;
  }
  if (
    found.kind === "directory" &&
    rule.owners.includes(found.uid) &&
    (found.mode & 0o022) === 0 &&
    (found.mode & ~rule.mode) !== 0
  ) {
    await chmod(at, rule.mode);
    found.mode = rule.mode;
  }
  const trouble = unsafe(at, found, rule);
  if (trouble !== undefined) throw fail("home_unsafe", { path: at, ...trouble });
  return found.kind === "directory" && found.uid === owners.own;
}

const memberRoot = /^postgres\/([0-9a-f]{14}|pool\/[^/]+\/[^/]+)$/;

async function lookAt(path: string): Promise<Found | undefined> {
  const found = await lstat(path).catch(() => undefined); // it may have gone this moment
  if (found === undefined) return undefined;
  // A link that leads nowhere is judged as the link it is.
  const target = found.isSymbolicLink() ? await stat(path).catch(() => undefined) : undefined;
  return { ...foundOf(found), ...(target === undefined ? {} : { target: foundOf(target) }) };
}

const foundOf = (stats: Stats): Found => ({
  kind: stats.isSymbolicLink() ? "link" : stats.isFile() ? "file" : stats.isDirectory() ? "directory" : "other",
  mode: stats.mode & 0o777,
  uid: stats.uid,
});
