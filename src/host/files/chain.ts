import { lstatSync, readFileSync, readlinkSync, type Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fail } from "../../errors/error.ts";
import { strangerInGroup } from "./group-writers.ts";

/**
 * Whether a path means what it did when it was made: every directory on the way to it, and every link, belongs to us or
 * to root, and others may write to none of them, by their group neither, unless it is one like /tmp, where nobody
 * removes what is another's. A socket is believed, and a home used, only then.
 */
export interface Weak {
  path: string;
  why: string;
  /** It is ours or root's, and its mode alone is wrong. */
  fix?: string;
}

/**
 * `shut`: the last directory itself is closed to the group and others for writing. Undefined where all is well, and
 * where there is nothing yet.
 */
export function weakness(path: string, options: { own?: number; shut?: boolean } = {}, depth = 0): Weak | undefined {
  const own = options.own ?? process.getuid?.() ?? 0;
  if (depth > 20) return { path, why: "it leads through too many symbolic links" };
  const root = lstatSync("/");
  // In a container whose root is mapped to nobody, that is who "/" belongs to.
  const trusted = new Set([0, own, root.uid]);
  for (const at of upTo(resolve(path))) {
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!trusted.has(found.uid)) return { path: at, why: `it belongs to another user (uid ${found.uid})` };
    if (found.isSymbolicLink())
      return weakness(join(resolve(dirname(at), readlinkSync(at)), resolve(path).slice(at.length)), options, depth + 1);
    const last = at === resolve(path);
    if (!found.isDirectory()) {
      if (last && found.isSocket()) return undefined;
      return { path: at, why: "it is no directory" };
    }
    const open = opened(found, trusted, last && options.shut === true);
    if (open !== undefined) return { path: at, why: open, fix: `chmod g-w,o-w ${at}` };
  }
  return undefined;
}

/** Every directory from the root down to the path itself. */
function upTo(path: string): string[] {
  const found = [path];
  for (let at = path; dirname(at) !== at;) found.unshift((at = dirname(at)));
  return found;
}

function opened({ mode, gid }: Stats, trusted: ReadonlySet<number>, shut: boolean): string | undefined {
  const said = (who: string) => `others may write to it (mode ${(mode & 0o7777).toString(8)}, ${who})`;
  if (shut) return (mode & 0o022) === 0 ? undefined : said(`group ${gid}`);
  if ((mode & 0o1000) !== 0) return undefined;
  if ((mode & 0o002) !== 0) return said(`group ${gid}`);
  const stranger = (mode & 0o020) === 0 ? undefined : strangerInGroup(gid, trusted);
  return stranger === undefined ? undefined : said(`group ${gid}, which has ${stranger}`);
}

/**
 * Whether a path lies below a directory that `perch run` covers for what it runs: an empty file system by the name of
 * Perch (src/network/enter.ts).
 */
export function isCovered(path: string): boolean {
  try {
    return coverOf(readFileSync("/proc/self/mountinfo", "utf8"), path) !== undefined;
  } catch {
    return false; // no /proc: nothing is covered there
  }
}

/** Pure: the covered directory that holds the path, of the lines of /proc/PID/mountinfo. */
export function coverOf(mounts: string, path: string): string | undefined {
  return mounts
    .split("\n")
    .filter((line) => / - tmpfs perch /.test(line))
    .map((line) =>
      (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .find((point) => path.startsWith(`${point}/`));
}

/** Throws `runtime_unsafe` where somebody else may have laid the socket, or may put another in its place. */
export function refuseStranger(socket: string): void {
  const weak = weakness(dirname(socket), { shut: true }) ?? weakness(socket);
  if (weak !== undefined) throw fail("runtime_unsafe", weak);
}
