import { join } from "node:path";
import { isCode } from "../errors/error.ts";
import { listBelow } from "../host/below.ts";
import { run } from "../host/command.ts";
import type { Member } from "./directory.ts";
import type { Standing } from "./replication.ts";

/**
 * What a dead leader wrote and no replica has received is still in its files, on this host: its WAL from the replica's last segment on is laid into the replica's own
 * pg_wal, which is read to its end before a promotion is through. So a leader that cannot start again is followed without the loss of a row. Gives the names of the
 * segments; none where the leader's WAL cannot be read. Undefined, and nothing is laid in, where the leader's file does not begin with what the replica has: a server
 * whose files are removed while it writes makes some of them again, with nothing before what it wrote last.
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

/** Whether the first of them has the bytes that the replica has received of it; so it is where that has no such file. */
async function continues(heir: Member, dead: Member, name: string | undefined, bytes: bigint): Promise<boolean> {
  if (name === undefined || bytes === 0n || !(await walFiles(heir)).includes(name)) return true;
  const { seen, server } = heir.place;
  const paths = [dead, heir].map(({ layout }) => seen(join(layout.data, "pg_wal", name)));
  const { stdout } = await run(server(["sh", "-c", sumEach, "perch", String(bytes), ...paths]), { cwd: "/", timeoutMs: 60_000 });
  return new Set(stdout.trim().split("\n")).size === 1;
}

const sumEach =
  'bytes=$1; shift; for path do test -f "$path" || { echo "$path is no file that can be read" >&2; exit 1; }; head -c "$bytes" -- "$path" | cksum; done';

/**
 * Whoever is promoted takes the next number after the timelines it has heard of. One that others have begun meanwhile, from a leader that is lost, is told to it:
 * else both would have one number, and a replica with WAL of the one would follow the other without noticing. Gives the numbers.
 */
export async function inheritTimelines(heir: Member, others: readonly Member[]): Promise<string[]> {
  const filesOf = async (member: Member) => (await walFiles(member)).filter((name) => /^[0-9A-F]{8}\.history$/.test(name));
  const known = new Set(await filesOf(heir));
  for (const other of others) {
    const news = (await filesOf(other)).filter((name) => !known.has(name));
    await layIn(heir, other, news);
    for (const name of news) known.add(name);
  }
  return [...known];
}

async function layIn(heir: Member, from: Member, names: readonly string[]): Promise<void> {
  const { seen, server } = heir.place;
  const argv = ["sh", "-c", copyEach, "perch", seen(join(from.layout.data, "pg_wal")), seen(join(heir.layout.data, "pg_wal")), ...names];
  if (names.length > 0) await run(server(argv), { cwd: "/", timeoutMs: 600_000 });
}

/** Where pg_wal is a link, to another disk say, PostgreSQL's user lists what it leads to: perchd, as root, follows none. */
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

/** By PostgreSQL's user: perchd, as root, would copy whatever a link among them leads to. Each is there whole or not at all, and a pipe is not waited for. */
const copyEach =
  'from=$1 to=$2; shift 2; for name do test -f "$from/$name" || { echo "$name is no file that can be read" >&2; exit 1; }; cp -- "$from/$name" "$to/$name.inherited" && mv -- "$to/$name.inherited" "$to/$name" || exit; done';

/** A segment's name is its timeline and its number, in hexadecimal; those of the replica's timeline, from the one it received last. Pure. */
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
