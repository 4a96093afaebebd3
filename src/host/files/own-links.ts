import { lstat, mkdir, readlink, realpath, rename, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exists } from "./files.ts";

/** Links by which perch is found on the PATH. */

/**
 * The file that starts this Perch: `perch` of a checkout, which builds itself; of an installed package its built
 * program.
 */
export async function ownStarter(): Promise<string> {
  const root = await realpath(fileURLToPath(new URL("../../..", import.meta.url)));
  const ofCheckout = join(root, "perch");
  return (await exists(ofCheckout)) ? ofCheckout : join(root, "dist/cli/main.js");
}

export type Place = "free" | "ours" | "taken";

/**
 * What lies at a path: nothing, a link to a Perch (this one, another checkout, or one that is gone), or something that
 * is not ours to replace.
 */
export async function placeOf(path: string): Promise<Place> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return "free";
  return found.isSymbolicLink() && /\/(perch|dist\/cli\/main\.js)$/.test(await readlink(path)) ? "ours" : "taken";
}

/** Makes or replaces the link as a whole; the directory, too. */
export async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.new-${process.pid}`;
  await symlink(target, beside);
  await rename(beside, path).catch(async (error: unknown) => {
    await rm(beside, { force: true });
    throw error;
  });
}

export const unlink = (path: string): Promise<void> => rm(path);
