/**
 * How long it takes until something is there: perchd, a cluster, a replica, an attachment, a command in the network;
 * each against the same by hand.
 */
import { readFile } from "node:fs/promises";
import { run } from "../src/host/process/command.ts";
import { type ByHand, password, type ServerByHand, streams, withServersByHand } from "./by-hand.ts";
import { binariesWith, leaderOf, type Perch, withPerch } from "./ground.ts";
import type { Bench, Options, Row } from "./report.ts";
import { ratios, timed } from "./stats.ts";

export const start: Bench = {
  name: "start",
  summary: "up, postgres create, machine clone, attach and run, against the same by hand",
  run: (options) =>
    withPerch(async (perch) => {
      const binaries = await binariesWith(perch, "psql", "pg_ctl", "pg_basebackup");
      if (typeof binaries === "string") return { skipped: binaries };
      const rounds = options.quick ? 2 : 8;
      const rows = [await daemon(perch, options, options.quick ? 2 : 5)];
      await withServersByHand(binaries, async (byHand) => {
        rows.push(...(await clusters(perch, byHand, options, rounds)));
        const leader = await byHand.start(await byHand.initialise("leader"));
        await perch.type(["postgres", "create", "--name", "pg", "--region", "ams"]);
        rows.push(
          await replicas(perch, byHand, leader, options, rounds),
          await attachments(perch, leader, options, rounds),
        );
      });
      rows.push(...(await commands(perch, options, rounds * 3)), await adoption(perch, options, rounds));
      return {
        rows,
        notes: [
          `PostgreSQL ${binaries.version} (${binaries.source}); by hand over a unix socket, on the same disk as the same user.`,
        ],
      };
    }),
};

/** Leaves perchd up. */
async function daemon(perch: Perch, { say, signal }: Options, rounds: number): Promise<Row> {
  const up: number[] = [];
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    if (round > 0) await perch.type(["down"]);
    up.push(await perch.time(["up"]));
    say(`up: ${round + 1} of ${rounds}`);
  }
  return { what: "perch up to ready", unit: "ms", values: { perch: up } };
}

async function clusters(perch: Perch, byHand: ByHand, { say, signal }: Options, rounds: number): Promise<Row[]> {
  const made = { perch: [] as number[], hand: [] as number[] };
  const asked = { perch: [] as number[], hand: [] as number[] };
  const query = ["psql", "-XAtq", "-h", "made.internal", "-U", "postgres", "-c", "SELECT 1"];
  const perchOnce = async () => {
    const create = await perch.time(["postgres", "create", "--name", "made", "--region", "ams", "--password", "-"], {
      input: password,
    });
    const ask = await perch.time(["run", "--env", `PGPASSWORD=${password}`, "--", ...query]);
    made.perch.push(create);
    asked.perch.push(create + ask);
    await perch.type(["postgres", "destroy", "made", "--yes"]);
  };
  const handOnce = async () => {
    const { ms, value: server } = await timed(async () => byHand.start(await byHand.initialise("made")));
    const ask = await timed(() => server.sql("SELECT 1"));
    made.hand.push(ms);
    asked.hand.push(ms + ask.ms);
    await server.remove();
  };
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    for (const once of round % 2 === 0 ? [perchOnce, handOnce] : [handOnce, perchOnce]) await once();
    say(`create: ${round + 1} of ${rounds}`);
  }
  return [
    row("postgres create to the first query (perch run -- psql)", "initdb, pg_ctl, psql", asked.perch, asked.hand, 1.5),
    row("postgres create alone", "initdb, pg_ctl", made.perch, made.hand),
  ];
}

async function replicas(
  perch: Perch,
  byHand: ByHand,
  leader: ServerByHand,
  { say, signal }: Options,
  rounds: number,
): Promise<Row> {
  const [cloned, copied]: [number[], number[]] = [[], []];
  const { id } = await leaderOf(perch, "pg");
  const perchOnce = async () => {
    cloned.push(await perch.time(["machine", "clone", id, "--region", "lhr", "-a", "pg"]));
    const members = JSON.parse(await perch.type(["machine", "list", "-a", "pg", "--json"])) as { id: string }[];
    for (const replica of members.filter((one) => one.id !== id))
      await perch.type(["machine", "destroy", replica.id, "--yes"]);
  };
  const handOnce = async () => {
    const { ms, value: replica } = await timed(async () => {
      const server = await byHand.start(await byHand.copy(leader, "copy"));
      if (!(await streams(leader))) throw new Error("the replica by hand does not stream");
      return server;
    });
    copied.push(ms);
    await replica.remove();
    await leader.sql("SELECT pg_drop_replication_slot('copy')");
  };
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    for (const once of round % 2 === 0 ? [perchOnce, handOnce] : [handOnce, perchOnce]) await once();
    say(`clone: ${round + 1} of ${rounds}`);
  }
  return row("machine clone to streaming", "pg_basebackup, pg_ctl, streaming", cloned, copied);
}

async function attachments(perch: Perch, leader: ServerByHand, { say, signal }: Options, rounds: number): Promise<Row> {
  const [attached, granted]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    const app = `web${round}`;
    await perch.type(["apps", "create", app]);
    attached.push(await perch.time(["postgres", "attach", "pg", "--app", app]));
    const byPsql = await timed(async () => {
      await leader.sql(`CREATE ROLE ${app} LOGIN PASSWORD 'p'`);
      await leader.sql(`CREATE DATABASE ${app} OWNER ${app}`);
    });
    granted.push(byPsql.ms);
    say(`attach: ${round + 1} of ${rounds}`);
  }
  return row("postgres attach", "psql CREATE ROLE, psql CREATE DATABASE", attached, granted);
}

async function commands(perch: Perch, { say, signal }: Options, rounds: number): Promise<Row[]> {
  const [inside, bare, node]: [number[], number[], number[]] = [[], [], []];
  const outside = async (argv: string[]) => (await timed(() => run(argv))).ms;
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    bare.push(await outside(["true"]));
    node.push(await outside([process.execPath, "-e", "0"]));
    inside.push(await perch.time(["run", "-a", "web0", "--", "true"]));
  }
  say(`run: ${rounds} of ${rounds}`);
  return [row("perch run -- true", "true", inside, bare), row("perch run -- true", "node -e 0", inside, node)];
}

/** perchd is killed while the cluster runs, and started again. */
async function adoption(perch: Perch, { say, signal }: Options, rounds: number): Promise<Row> {
  const again: number[] = [];
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    const { pid } = JSON.parse(await readFile(perch.home.daemonFile, "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    again.push(await perch.time(["up"]));
    say(`adopt: ${round + 1} of ${rounds}`);
  }
  return {
    what: "perch up after kill -9 of perchd, the cluster adopted",
    unit: "ms",
    values: { perch: again },
    goal: { atMost: 2_000 },
  };
}

const row = (what: string, against: string, perch: number[], hand: number[], atMost?: number): Row => ({
  what,
  unit: "ms",
  values: { perch, [against]: hand },
  ratio: ratios(perch, hand),
  ...(atMost === undefined ? {} : { goal: { atMost } }),
});
