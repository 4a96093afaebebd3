/**
 * The ways to the leader: pgbench -S, connections a second and a row of 60 kB, from inside `perch run`. Every way in
 * every round. All speak the extended protocol without named statements, which is what most drivers do and what every
 * pooler passes on.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Aim, Comparison } from "./compare.ts";
import type { Bench, Options } from "./report.ts";
import { percentile } from "./stats.ts";
import { names, type Way } from "./way.ts";
import { type Ground, inRounds, withWays } from "./ways.ts";

interface Load {
  name: string;
  unit: string;
  args: readonly string[];
  /** The share of transactions whose latency is kept. */
  sampling: number;
}

const select = (clients: number): Load => ({
  name: `pgbench -S, ${clients} client${clients === 1 ? "" : "s"}`,
  unit: "transactions/s",
  args: ["-S", "-M", "extended", "-c", String(clients), "-j", clients === 1 ? "1" : "2"],
  sampling: 0.1,
});
const connects: Load = {
  name: "pgbench -S -C, 4 clients",
  unit: "connections/s",
  args: ["-S", "-C", "-c", "4", "-j", "2"],
  sampling: 1,
};
const wideRow = (script: string): Load => ({
  name: "a row of 60 kB, 1 client",
  unit: "rows/s",
  args: ["-M", "extended", "-f", script],
  sampling: 1,
});

export const path: Bench = {
  name: "path",
  summary: "the kernel map and the pooler against the member itself, HAProxy, PgBouncer and a Node relay",
  run: (options) =>
    withWays(options, async (ground) => {
      options.say("filling the tables, scale 10");
      const script = await fill(ground);
      const comparisons: Comparison[] = [];
      for (const load of [select(1), select(16), select(64), connects, wideRow(script)])
        comparisons.push(...(await measure(ground, load, options)));
      const notes = [
        `PostgreSQL ${ground.version}, scale 10, TLS as libpq prefers it. Of latencies, less is better.`,
        ...ground.notes,
      ];
      return { rows: [], comparisons, notes };
    }),
};

/** 64 rows of 60,000 characters that nothing compresses; the path of the script that asks for one. */
async function fill({ perch, ways: [direct], tool }: Ground): Promise<string> {
  if (direct === undefined) throw new Error("there is no way to the leader");
  await tool("pgbench", direct, ["-i", "-q", "-s", "10"]);
  const create = "CREATE TABLE wide (id int PRIMARY KEY, body text); ALTER TABLE wide ALTER body SET STORAGE EXTERNAL";
  const body = "(SELECT string_agg(md5(id || ' ' || part), '') FROM generate_series(1, 1875) part)";
  await tool("psql", direct, [
    "-Xq",
    "-c",
    create,
    "-c",
    `INSERT INTO wide SELECT id, ${body} FROM generate_series(1, 64) id`,
  ]);
  const script = join(perch.home.root, "wide.sql");
  await writeFile(script, "\\set id random(1, 64)\nSELECT body FROM wide WHERE id = :id;\n");
  return script;
}

const aims: readonly Aim[] = [
  { who: names.map, to: names.direct, atLeast: 0.97 },
  { who: names.map, to: names.haproxy, atLeast: 1 },
  { who: names.pool, to: names.pgbouncer, atLeast: 0.97 },
];

async function measure(ground: Ground, load: Load, { quick, say, signal }: Options): Promise<Comparison[]> {
  const [rounds, seconds] = quick ? [2, 1] : [10, 1];
  const figures = { rate: {}, p50: {}, p99: {} } as Record<keyof Figures, Record<string, number[]>>;
  let done = 0;
  await inRounds(ground.ways, rounds, signal, async (way) => {
    const found = await pgbench(ground, way, load, seconds);
    for (const kind of ["rate", "p50", "p99"] as const) (figures[kind][way.name] ??= []).push(found[kind]);
    if (++done % ground.ways.length === 0) say(`${load.name}: ${done / ground.ways.length} of ${rounds}`);
  });
  const base = names.direct;
  return [
    { what: load.name, unit: load.unit, values: figures.rate, base, aims },
    { what: `${load.name}, p50`, unit: "ms", values: figures.p50, base },
    {
      what: `${load.name}, p99`,
      unit: "ms",
      values: figures.p99,
      base,
      aims: [{ who: names.map, to: names.direct, atMost: 1.05 }],
    },
  ];
}

interface Figures {
  rate: number;
  /** Latencies in milliseconds. */
  p50: number;
  p99: number;
}

async function pgbench({ perch, tool }: Ground, way: Way, { args, sampling }: Load, seconds: number): Promise<Figures> {
  const logs = join(perch.home.root, "pgbench");
  await rm(logs, { recursive: true, force: true });
  await mkdir(logs);
  const log = ["-l", ...(sampling < 1 ? [`--sampling-rate=${sampling}`] : []), `--log-prefix=${join(logs, "t")}`];
  const said = await tool("pgbench", way, ["-n", "-T", String(seconds), ...args, ...log]);
  const lines = (await Promise.all((await readdir(logs)).map((file) => readFile(join(logs, file), "utf8"))))
    .join("")
    .trimEnd()
    .split("\n");
  const latencies = lines.map((line) => Number(line.split(" ")[2]) / 1_000);
  return {
    rate: Number(/^tps = ([\d.]+)/m.exec(said)?.[1]),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  };
}
