import { randomBytes } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isBelow, lookBelow } from "../../host/files/below.ts";
import { handOver } from "../../host/files/files.ts";
import type { Home } from "../../host/system/home.ts";
import type { Place } from "../../host/process/place.ts";
import { throughRelay } from "../../host/sockets/socket-relay.ts";

/**
 * Where the files of one member lie, as perchd sees them. For what PostgreSQL itself reads, `place.seen` says how it
 * sees them.
 */
export interface Layout {
  /** Everything of the member but its sockets; its parent holds the other members. */
  root: string;
  /** The data directory. It is there whole or not at all. */
  data: string;
  /** server.crt, server.key and the network's ca.crt. */
  tls: string;
  log: string;
  /** The password of `replicator`, as libpq's passfile. */
  pass: string;
  /** Short: a socket's path may have 107 bytes. */
  sockets: string;
}

/** One server to run: everything this room asks for. */
export interface Member {
  /** The machine's id. */
  id: string;
  /** The cluster, for errors. */
  app: string;
  major: number;
  /** The directory with initdb and postgres, as perchd sees it. */
  binaries: string;
  port: number;
  layout: Layout;
  place: Place;
}

export function layout(home: Home, id: string): Layout {
  const root = join(home.postgres, id);
  return {
    root,
    data: join(root, "data"),
    tls: join(root, "tls"),
    log: join(root, "log"),
    pass: join(root, "pass"),
    sockets: join(home.runtime, "pg", id),
  };
}

/**
 * argv that runs a program of PostgreSQL as its user, in an environment with nothing of ours in it: not our secrets,
 * not our HOME, where libpq looks for certificates, and none of the PG* variables it obeys.
 */
export function command(
  member: Member,
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string[] {
  const { place } = member;
  const clean = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", HOME: place.seen(member.layout.root), ...env };
  const variables = Object.entries(clean).map(([variable, value]) => `${variable}=${value}`);
  return place.server(["env", "-i", ...variables, place.seen(join(member.binaries, name)), ...args]);
}

/**
 * Makes every directory but the data directory, closed to all but PostgreSQL's user. Those above, the member's own
 * among them, are perchd's and open to walk through only: who is superuser in SQL runs programs as PostgreSQL's user,
 * and must not lay a link where perchd, as root, will look for a directory of its own.
 */
export async function makeDirectories(member: Member): Promise<void> {
  const { layout: at, place } = member;
  for (const above of [dirname(at.root), dirname(at.sockets)]) await makeWalkable(above, place);
  await makeWalkable(at.root, place);
  for (const path of [at.tls, at.log, at.sockets]) await makeOwned(path, place);
}

/**
 * Lets a program that runs as this member's user come to another's socket: the work is told in which directory that is.
 * The other may run as another user; then the way leads through perchd.
 */
export async function atSocketOf<T>(
  other: Member,
  member: Member,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const { sockets } = other.layout;
  const { owner } = member.place;
  if (owner === undefined || owner.uid === other.place.owner?.uid) return work(sockets);
  const directory = join(dirname(dirname(sockets)), "relay", member.id);
  const name = `.s.PGSQL.${other.port}`;
  return throughRelay({ directory, name, to: join(sockets, name), owner }, () => work(directory));
}

/**
 * A directory of perchd's own that PostgreSQL's user may walk through, and nobody may list; where that user is
 * perchd's, it is shut to others.
 */
export async function makeWalkable(path: string, place: Place): Promise<void> {
  await mkdir(path, { recursive: true });
  if (place.owner === undefined) return chmod(path, 0o700);
  await handOver(path, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
  await chmod(path, 0o711);
}

/** Makes a directory PostgreSQL's user's, 0700 whatever the umask; the one above it is perchd's. */
export async function makeOwned(path: string, place: Place): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  if (place.owner !== undefined) await handOver(path, place.owner);
}

/** Whether the data directory is there; one that is being removed is not. */
export const hasData = async (at: Layout): Promise<boolean> =>
  (await isBelow(at.data, "PG_VERSION")) && isBelow(at.data, "global/pg_control");

/** Whether the running server can be reached by its unix socket; something else in its place is none. */
export const hasSocket = async (member: Member): Promise<boolean> =>
  // What cannot be looked at is no socket that could be connected to.
  (await lookBelow(member.layout.sockets, `.s.PGSQL.${member.port}`).catch(() => undefined))?.isSocket() === true;

/** A name beside the data directory for one that is still being made. */
export const besideData = (at: Layout): string => `${at.data}.new-${randomBytes(4).toString("hex")}`;
