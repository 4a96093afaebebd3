/**
 * A gigabyte out of the leader and into it, by psql's \copy, through every way; megabytes a second as psql's own clock
 * has them.
 */
import { stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Comparison } from "./compare.ts";
import type { Bench, Options } from "./report.ts";
import { names, type Way } from "./way.ts";
import { type Ground, inRounds, withWays } from "./ways.ts";

const megabyte = 1_000_000;

export const copy: Bench = {
  name: "copy",
  summary: "COPY of 1 GB (100 MB with --quick), out and in",
  async run(options) {
    const megabytes = options.quick ? 100 : 1_000;
    const { bavail, bsize } = await statfs(tmpdir());
    // The rows, the file of them and the table they go into, and as much to spare.
    if (bavail * bsize < 6 * megabytes * megabyte)
      return { skipped: `${tmpdir()} has not six times ${megabytes} MB free` };
    return withWays(options, async (ground) => {
      options.say(`filling a table of ${megabytes} MB`);
      const rows = await fill(ground, megabytes);
      const notes = [
        `${Math.round(rows.bytes / megabyte)} MB in rows of 1 kB, tables without WAL, the file in the page cache. PostgreSQL ${ground.version}.`,
      ];
      return { rows: [], comparisons: await measure(ground, rows, options), notes: [...notes, ...ground.notes] };
    });
  },
};

interface Rows {
  file: string;
  bytes: number;
}

async function fill({ perch, ways: [direct], tool }: Ground, megabytes: number): Promise<Rows> {
  if (direct === undefined) throw new Error("there is no way to the leader");
  const file = join(perch.home.root, "rows");
  const tables = ["source", "sink"].map((name) => `CREATE UNLOGGED TABLE ${name} (id int, body text)`).join("; ");
  const body = "repeat(md5(id::text), 31)";
  const insert = `INSERT INTO source SELECT id, ${body} FROM generate_series(1, ${megabytes} * 1000) id`;
  await tool("psql", direct, [
    "-Xq",
    "-c",
    tables,
    "-c",
    insert,
    "-c",
    "VACUUM source",
    "-c",
    "CHECKPOINT",
    "-c",
    `\\copy source to '${file}'`,
  ]);
  return { file, bytes: (await stat(file)).size };
}

async function measure(
  { ways, tool }: Ground,
  { file, bytes }: Rows,
  { quick, say, signal }: Options,
): Promise<Comparison[]> {
  const rounds = quick ? 2 : 3;
  const timedBy = async (way: Way, before: string[], command: string) => {
    const said = await tool("psql", way, ["-X", ...before, "-c", "\\timing on", "-c", command]);
    return bytes / megabyte / (Number(/^Time: ([\d.]+) ms/m.exec(said)?.[1]) / 1_000);
  };
  const [out, into]: [Record<string, number[]>, Record<string, number[]>] = [{}, {}];
  let done = 0;
  await inRounds(ways, rounds, signal, async (way) => {
    (out[way.name] ??= []).push(await timedBy(way, [], "\\copy source to /dev/null"));
    (into[way.name] ??= []).push(await timedBy(way, ["-c", "TRUNCATE sink"], `\\copy sink from '${file}'`));
    if (++done % ways.length === 0) say(`copy: ${done / ways.length} of ${rounds}`);
  });
  const aims = [
    { who: names.map, to: names.direct, atLeast: 0.97 },
    { who: names.map, to: names.haproxy, atLeast: 1 },
    { who: names.pool, to: names.pgbouncer, atLeast: 0.97 },
  ];
  const [what, unit, base] = [quick ? "100 MB" : "1 GB", "MB/s", names.direct];
  return [
    { what: `COPY of ${what} out`, unit, values: out, base, aims },
    { what: `COPY of ${what} in`, unit, values: into, base, aims },
  ];
}
