import { lstatSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { type Owners, ruleOf, type tables } from "../../src/daemon/modes.ts";
import { type Found, unsafe } from "../../src/host/files/closed.ts";

export interface Walked {
  /** Files and directories looked at. */
  seen: number;
  /** Sentences on what others may read or change, on what is somebody else's, and on what no rule knows. */
  wrong: string[];
}

/**
 * Everything below a home or a runtime directory, held against the table of what is where: PostgreSQL's own
 * directories, too, into which perchd does not look.
 */
export function walk(table: keyof typeof tables, root: string, owners: Owners, path = ""): Walked {
  const at = join(root, path);
  const stats = lstatSync(at, { throwIfNoEntry: false });
  if (stats === undefined) return { seen: 0, wrong: [] }; // PostgreSQL removes files of its own all the time
  const trouble = troubleOf(table, at, path, owners, stats);
  const wrong = trouble === undefined ? [] : [`${at}: ${trouble}`];
  if (!stats.isDirectory() || path === "postgres/tools") return { seen: 1, wrong };
  const below = readdirSync(at).map((name) => walk(table, root, owners, path === "" ? name : `${path}/${name}`));
  return {
    seen: below.reduce((sum, { seen }) => sum + seen, 1),
    wrong: [...wrong, ...below.flatMap((one) => one.wrong)],
  };
}

function troubleOf(
  table: keyof typeof tables,
  at: string,
  path: string,
  owners: Owners,
  stats: Stats,
): string | undefined {
  const mode = stats.mode & 0o777;
  const kind: Found["kind"] = stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "directory"
      : stats.isSymbolicLink()
        ? "link"
        : "other";
  // A socket, and what PostgreSQL keeps in directories of its own.
  const ofServer = table === "home" ? /^postgres\/[^/]+\/data\//.test(path) : /^(pg|pool)\/[^/]+\//.test(path);
  if (stats.isSocket() || ofServer) return (mode & 0o077) === 0 ? undefined : `mode ${mode.toString(8)}`;
  const rule = ruleOf(table, path, owners);
  return rule === undefined ? "no rule knows it" : unsafe(at, { kind, mode, uid: stats.uid }, rule)?.why;
}
