import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Every file of the repository that git does not ignore, tracked or new, as paths from its root; from what matters, never the deleted. */
export function files(pattern: RegExp): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "-z"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  return listed.split("\0").filter((path) => pattern.test(path) && existsSync(join(root, path)));
}

export const read = (path: string): string => readFileSync(join(root, path), "utf8");
