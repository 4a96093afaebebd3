/**
 * Whether a file or directory of Perch is its own and shut to others. Pure; `inspect.ts` of the daemon looks at all of
 * a home.
 */
export interface Found {
  kind: "file" | "directory" | "link" | "other";
  /** Permission bits. */
  mode: number;
  uid: number;
  /** Where a link leads, looked at in the same way. */
  target?: Found;
}

export interface Rule {
  kind: "file" | "directory";
  /** No bit more than these. */
  mode: number;
  /** Whose it may be. */
  owners: readonly number[];
}

export interface Unsafe {
  why: string;
  /** The command that makes it safe. */
  fix: string;
}

/** Undefined where all is well. A link of one's own leads where one likes, and what it leads to is judged. */
export function unsafe(path: string, found: Found, rule: Rule): Unsafe | undefined {
  const owner = rule.owners[0] ?? 0;
  const quoted = quote(path);
  if (found.kind === "link") {
    const laid = rule.owners.includes(found.uid) ? "leads nowhere" : "somebody else laid";
    if (laid === "leads nowhere" && found.target !== undefined) return unsafe(path, found.target, rule);
    return { why: `it is a symbolic link that ${laid}`, fix: `rm ${quoted}` };
  }
  if (found.kind !== rule.kind) return { why: `it is no ${rule.kind}`, fix: `mv ${quoted} ${quoted}.strange` };
  if (!rule.owners.includes(found.uid))
    return { why: `it belongs to another user (uid ${found.uid})`, fix: `chown ${owner} ${quoted}` };
  const wider = found.mode & 0o077 & ~rule.mode;
  if (wider === 0) return undefined;
  const may = (wider & 0o022) === 0 ? "read" : "write to";
  return {
    why: `others may ${may} it (mode ${found.mode.toString(8)})`,
    fix: `chmod ${rule.mode.toString(8)} ${quoted}`,
  };
}

const quote = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);
