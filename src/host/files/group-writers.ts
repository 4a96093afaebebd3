import { readFileSync } from "node:fs";

/** The texts of /etc/group and /etc/passwd. */
export interface Accounts {
  group: string;
  passwd: string;
}

/**
 * Who may write by a group's right, besides those who are trusted; undefined where that is no other user. A group that
 * the two files do not know may have members elsewhere. Pure.
 */
export function strangerIn(gid: number, trusted: ReadonlySet<number>, { group, passwd }: Accounts): string | undefined {
  if (gid === 0) return undefined;
  const users = linesOf(passwd);
  const known = linesOf(group).find(([, , number]) => number === String(gid));
  if (known === undefined) return "users that this host does not list";
  const members = (known[3] ?? "").split(",").filter((name) => name !== "");
  const within = users.filter(([name = "", , , primary]) => primary === String(gid) || members.includes(name));
  const unknown = members.find((member) => !users.some(([name]) => name === member));
  return unknown ?? within.find(([, , uid]) => !trusted.has(Number(uid)))?.[0];
}

/** The same of this host's own files. */
export const strangerInGroup = (gid: number, trusted: ReadonlySet<number>): string | undefined =>
  strangerIn(gid, trusted, { group: text("/etc/group"), passwd: text("/etc/passwd") });

/** Where there are no such files, no group is known. */
function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // as it says above
  }
}

const linesOf = (content: string): string[][] => content.split("\n").map((line) => line.split(":"));
