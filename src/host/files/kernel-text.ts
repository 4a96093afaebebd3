import { readFileSync } from "node:fs";

/**
 * What the kernel makes up when it is read, as files of /proc and of control groups: nothing waits for a disk, so it is
 * read at once. By a promise it would take four turns of another thread, which cost more than the reading, at each look
 * of every loop. Undefined when there is none.
 */
export function kernelText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // as it says above
  }
}
