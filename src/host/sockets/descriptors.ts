import { readFileSync } from "node:fs";

/** What this process may open: sockets, files, pipes. Node has raised its soft limit to the hard one by then. */
function descriptorsAtMost(): number {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return found === undefined ? Infinity : Number(found);
  } catch {
    return Infinity; // no Linux: whoever asks has a limit of his own
  }
}

/**
 * So many, but no more than a share of what may be open: strangers' connections must leave the process enough for its
 * own work.
 */
export const withinDescriptors = (wanted: number, share: number): number =>
  Math.min(wanted, Math.floor(descriptorsAtMost() * share));
