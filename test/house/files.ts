import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const git = (...args: string[]): string[] =>
  execFileSync("git", [...args, "-z"], { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\0")
    .filter(Boolean);

/**
 * Every file of the repository, tracked or new, as a path from its root. Never what is deleted, nor what npm installed.
 */
export function files(pattern: RegExp): string[] {
  return git("ls-files", "--cached", "--others", "--exclude-standard").filter(
    (path) => pattern.test(path) && !/(^|\/)node_modules\//.test(path) && existsSync(join(root, path)),
  );
}

/** What is tracked although .gitignore says that it should not be. */
export const trackedThoughIgnored = (): string[] => git("ls-files", "--cached", "--ignored", "--exclude-standard");

export const read = (path: string): string => readFileSync(join(root, path), "utf8");
