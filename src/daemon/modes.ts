import type { Rule } from "../host/files/closed.ts";

/**
 * What lies where in a home and in its runtime directory, whose it is, and what others may do with it: nothing with
 * data or a secret, and walk through where PostgreSQL's user must. One table for what perchd refuses at its start and
 * for the test that walks a home in full use. Pure.
 */
export interface Owners {
  /** perchd's own uid. */
  own: number;
  /** PostgreSQL's; the same where perchd is an ordinary user. */
  server: number;
  /** The one of an older Perch, while anything is that one's. */
  former?: number;
}

type Whose = "own" | "server" | "either";
type Row = readonly [path: RegExp, kind: Rule["kind"], mode: number, whose: Whose];

/** Open to walk through where PostgreSQL has a user of its own, else shut. */
const walk = 0o711;

const home: readonly Row[] = [
  [/^$/, "directory", walk, "own"],
  [/^networks(\/[^/]+)?$/, "directory", walk, "own"],
  [/^perchd\.(json|log|log\.old)$/, "file", 0o600, "own"],
  [/^(network\.json|portable)$/, "file", 0o600, "own"],
  [/^perch\.db(-wal|-shm|-journal)?$/, "file", 0o600, "own"],
  [/^secret\.key(\.next)?$/, "file", 0o600, "own"],
  [/^(ca|logins)$/, "directory", 0o700, "own"],
  [/^ca\/[^/]+\.crt$/, "file", 0o644, "own"],
  [/^ca\/[^/]+\.key$/, "file", 0o600, "own"],
  [/^logins\/[^/]+\.json$/, "file", 0o600, "own"],
  [/^postgres$/, "directory", walk, "own"],
  [/^postgres\/tools(\/[^/]+)?$/, "directory", 0o755, "own"],
  [/^postgres\/pool(\/[^/]+){0,2}$/, "directory", walk, "own"],
  [/^postgres\/pool\/[^/]+\/[^/]+\/(pid|pgbouncer\.log(\.old)?)$/, "file", 0o600, "own"],
  [/^postgres\/pool\/[^/]+\/[^/]+\/(pgbouncer\.ini|users\.txt|server\.(crt|key))$/, "file", 0o600, "server"],
  [/^postgres\/[0-9a-f]{14}$/, "directory", walk, "own"],
  [/^postgres\/[0-9a-f]{14}\/(data|tls|log)$/, "directory", 0o700, "server"],
  [/^postgres\/[0-9a-f]{14}\/pass$/, "file", 0o600, "server"],
  [/^postgres\/[0-9a-f]{14}\/tls\/(server\.(crt|key)|ca\.crt)$/, "file", 0o600, "server"],
  [/^postgres\/[0-9a-f]{14}\/log\/[^/]+$/, "file", 0o600, "either"],
];

const runtime: readonly Row[] = [
  [/^$/, "directory", walk, "own"],
  [/^(pg|pool|postgres)$/, "directory", walk, "own"],
  [/^(pg|pool)\/[^/]+$/, "directory", 0o700, "server"],
  [/^relay(\/[^/]+)?$/, "directory", walk, "own"],
  [/^doors$/, "directory", 0o700, "own"],
  [/^doors\/[^/]+\.json$/, "file", 0o600, "own"],
  [/^[a-z]+\.(json|log|pid)$/, "file", 0o600, "own"],
  [/^server-(resolv|nsswitch)\.conf$/, "file", 0o644, "own"],
  // What an app finds at /etc: names of the network, and no secret.
  [/^runs(\/[^/]+)?$/, "directory", 0o755, "own"],
  [/^runs\/[^/]+\/(resolv\.conf|nsswitch\.conf|hosts)$/, "file", 0o644, "own"],
];

export const tables = { home, runtime } as const;

/** The rule for a path relative to the home or the runtime directory; undefined where it is none of Perch's. */
export function ruleOf(table: keyof typeof tables, path: string, { own, server, former }: Owners): Rule | undefined {
  const row = tables[table].find(([pattern]) => pattern.test(path));
  if (row === undefined) return undefined;
  const [, kind, mode, whose] = row;
  const servers = former === undefined ? [server] : [server, former];
  const owners = { own: [own], server: servers, either: [own, ...servers] }[whose];
  return { kind, mode: mode === walk && own === server ? 0o700 : mode, owners };
}
