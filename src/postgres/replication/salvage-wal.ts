import { join } from "node:path";
import { isCode } from "../../errors/error.ts";
import { createBelow, listBelow, removeBelow } from "../../host/files/below.ts";
import { run } from "../../host/process/command.ts";
import { handOver } from "../../host/files/files.ts";
import type { Member } from "../instance/directory.ts";
import type { Standing } from "./replication.ts";

/**
 * What a dead leader wrote and no replica has received is still in its files, on this host: its WAL from the replica's
 * last segment on is laid into the replica's own pg_wal, which is read to its end before a promotion is through. So a
 * leader that cannot start again is followed without the loss of a row. Gives the names of the segments; none where the
 * leader's WAL cannot be read. Undefined, and nothing is laid in, where the leader's file does not begin with what the
 * replica has: a server whose files are removed while it writes makes some of them again, with nothing before what it
 * wrote last.
 */
export async function inheritWal(
  heir: Member,
  dead: Member,
  at: Pick<Standing, "received" | "timeline">,
  segmentBytes: bigint,
): Promise<string[] | undefined> {
  const wanted = segmentsAfter(await walFiles(dead), at, segmentBytes);
  if (!(await continues(heir, dead, wanted[0], at.received % segmentBytes))) return undefined;
  await layIn(heir, dead, wanted);
  return wanted;
}

/**
 * Whether the first of them has the bytes that the replica has received of it; so it is where that has no such file.
 */
async function continues(heir: Member, dead: Member, name: string | undefined, bytes: bigint): Promise<boolean> {
  if (name === undefined || bytes === 0n || !(await walFiles(heir)).includes(name)) return true;
  // Each is read by its own member's user: the two may be of different ones.
  const sumOf = async ({ place, layout }: Member): Promise<string> => {
    const argv = ["sh", "-c", sum, "perch", String(bytes), place.seen(join(layout.data, "pg_wal", name))];
    return (await run(place.server(argv), { cwd: "/", timeoutMs: 60_000 })).stdout;
  };
  const [its, own] = await Promise.all([sumOf(dead), sumOf(heir)]);
  return its === own;
}

const sum = 'test -f "$2" || { echo "$2 is no file that can be read" >&2; exit 1; }; head -c "$1" -- "$2" | cksum';

/**
 * Whoever is promoted takes the next number after the timelines it has heard of. One that others have begun meanwhile,
 * from a leader that is lost, is told to it: else both would have one number, and a replica with WAL of the one would
 * follow the other without noticing. Gives the numbers.
 */
export async function inheritTimelines(heir: Member, others: readonly Member[]): Promise<string[]> {
  const filesOf = async (member: Member) =>
    (await walFiles(member)).filter((name) => /^[0-9A-F]{8}\.history$/.test(name));
  const known = new Set(await filesOf(heir));
  for (const other of others) {
    const news = (await filesOf(other)).filter((name) => !known.has(name));
    await layIn(heir, other, news);
    for (const name of news) known.add(name);
  }
  return [...known];
}

async function layIn(heir: Member, from: Member, names: readonly string[]): Promise<void> {
  const { seen, server, owner } = heir.place;
  if (owner?.uid !== from.place.owner?.uid) {
    for (const name of names) await carry(heir, from, name);
    return;
  }
  const argv = [
    "sh",
    "-c",
    copyEach,
    "perch",
    seen(join(from.layout.data, "pg_wal")),
    seen(join(heir.layout.data, "pg_wal")),
    ...names,
  ];
  if (names.length > 0) await run(server(argv), { cwd: "/", timeoutMs: 600_000 });
}

/**
 * Between members of two users, neither of whom reads what is the other's: by a file that the one fills and the other
 * takes its own from.
 */
async function carry(heir: Member, from: Member, name: string): Promise<void> {
  const between = `inherited-${name}`;
  const path = join(heir.layout.root, between);
  const inWal = ({ place, layout }: Member) => place.seen(join(layout.data, "pg_wal", name));
  const limits = { cwd: "/", timeoutMs: 600_000 };
  const file = await createBelow(heir.layout.root, between);
  try {
    await run(from.place.server(["sh", "-c", readOne, "perch", inWal(from)]), { ...limits, outputFd: file.fd });
    if (heir.place.owner !== undefined) await handOver(path, heir.place.owner);
    await run(heir.place.server(["sh", "-c", takeOne, "perch", heir.place.seen(path), inWal(heir)]), limits);
  } finally {
    await file.close();
    await removeBelow(heir.layout.root, between);
  }
}

const readOne = 'test -f "$1" || { echo "$1 is no file that can be read" >&2; exit 1; }; exec cat -- "$1"';
const takeOne = 'cp -- "$1" "$2.inherited" && exec mv -- "$2.inherited" "$2"';

/**
 * Where pg_wal is a link, to another disk say, PostgreSQL's user lists what it leads to: perchd, as root, follows none.
 */
async function walFiles({ layout, place }: Member): Promise<string[]> {
  try {
    return (await listBelow(layout.data, "pg_wal")).map(({ name }) => name);
  } catch (error) {
    if (!isCode(error, "file_strange")) return [];
    const argv = place.server(["ls", "-1", "--", `${place.seen(join(layout.data, "pg_wal"))}/`]);
    return run(argv, { cwd: "/" }).then(
      ({ stdout }) => stdout.split("\n"),
      () => [],
    );
  }
}

/**
 * By PostgreSQL's user: perchd, as root, would copy whatever a link among them leads to. Each is there whole or not at
 * all, and a pipe is not waited for.
 */
const copyEach =
  'from=$1 to=$2; shift 2; for name do test -f "$from/$name" || { echo "$name is no file that can be read" >&2; exit 1; }; cp -- "$from/$name" "$to/$name.inherited" && mv -- "$to/$name.inherited" "$to/$name" || exit; done';

/**
 * A segment's name is its timeline and its number, in hexadecimal; those of the replica's timeline, from the one it
 * received last. Pure.
 */
export function segmentsAfter(
  names: readonly string[],
  { received, timeline }: Pick<Standing, "received" | "timeline">,
  segmentBytes: bigint,
): string[] {
  const perFile = 0x1_0000_0000n / segmentBytes;
  const last = received / segmentBytes;
  return names
    .filter((name) => /^[0-9A-F]{24}$/.test(name) && Number.parseInt(name.slice(0, 8), 16) === timeline)
    .filter((name) => BigInt(`0x${name.slice(8, 16)}`) * perFile + BigInt(`0x${name.slice(16)}`) >= last)
    .toSorted();
}
