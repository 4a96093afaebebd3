/**
 * The ways to one leader, side by side in one namespace: its own port, the kernel map, Perch's pooler, and the peers
 * that a user would put in front of it. What cannot be had is left out, and a note says so.
 */
import { CommandError } from "../src/host/process/command.ts";
import { layout } from "../src/postgres/instance/directory.ts";
import { binariesWith, leaderOf, type Perch, statusOf, withPerch } from "./ground.ts";
import { startHaproxy, startNodeRelay, startPgbouncer } from "./peers.ts";
import type { Options, Outcome } from "./report.ts";
import { turns } from "./stats.ts";
import { type Answers, names, type Peer, type Way } from "./way.ts";

/** A cluster `pg` of one member that the app `web` is attached to. */
export interface Ground {
  perch: Perch;
  ways: Way[];
  /** A program of PostgreSQL inside `perch run`, as the app, through one of the ways; what it printed. */
  tool(name: string, way: Way, args: readonly string[]): Promise<string>;
  version: string;
  notes: string[];
}

/** `work` with every way that there is; the direct one is the first. What was started is ended afterwards. */
export function withWays(options: Options, work: (ground: Ground) => Promise<Outcome>): Promise<Outcome> {
  return withPerch(async (perch) => {
    const binaries = await binariesWith(perch, "pgbench", "psql");
    if (typeof binaries === "string") return { skipped: binaries };
    await perch.type(["up"]);
    if ((await statusOf(perch)).network.mode === "portable") return { skipped: "portable mode has no kernel map" };
    await perch.type(["postgres", "create", "--name", "pg", "--region", "ams"]);
    await attach(perch);
    const user = await appUser(perch);
    const tool: Ground["tool"] = (name, { host, port }, args) =>
      perch.type(["run", "-a", "web", "--", `${binaries.directory}/${name}`, "-h", host, "-p", String(port), ...args], {
        env: user,
      });
    const answers: Answers = (way) =>
      tool("psql", way, ["-XAtqc", "SELECT 1"]).then(
        () => true,
        () => undefined,
      );

    const { address, port, id } = await leaderOf(perch, "pg");
    const ground: Ground = {
      perch,
      ways: [
        { name: names.direct, host: address, port },
        { name: names.map, host: "pg.internal", port: 5432 },
      ],
      tool,
      version: binaries.version,
      notes: [],
    };
    const target = { address, port, tls: layout(perch.home, id).tls, user: user.PGUSER, password: user.PGPASSWORD };
    const peers: Peer[] = [];
    try {
      for (const [name, start] of [
        [names.pool, () => pooled(perch, answers)],
        [names.haproxy, () => startHaproxy(perch, target, answers)],
        [names.pgbouncer, () => startPgbouncer(perch, target, answers)],
        [names.relay, () => startNodeRelay(perch, target, answers)],
      ] as const) {
        options.signal.throwIfAborted();
        const peer = await start();
        if (typeof peer !== "string") peers.push(peer);
        else ground.notes.push(`${name} was not measured: ${peer}.`);
        if (typeof peer === "string") options.say(`${name} is skipped: ${peer}`);
      }
      ground.ways.push(...peers.map(({ way }) => way));
      return await work(ground);
    } finally {
      for (const { stop } of peers) await stop();
    }
  });
}

export async function attach(perch: Perch): Promise<void> {
  await perch.type(["apps", "create", "web"]);
  await perch.type(["postgres", "attach", "pg", "--app", "web"]);
}

export async function appUser(perch: Perch): Promise<{ PGUSER: string; PGPASSWORD: string; PGDATABASE: string }> {
  const url = new URL(await perch.type(["run", "-a", "web", "--", "printenv", "DATABASE_URL"]));
  return { PGUSER: url.username, PGPASSWORD: decodeURIComponent(url.password), PGDATABASE: url.pathname.slice(1) };
}

/**
 * Switches Perch's pooler on, in transaction mode with every PgBouncer: no way here names a statement. Else what the
 * CLI says, for a note.
 */
export async function poolOn(perch: Perch): Promise<string | undefined> {
  try {
    await perch.type(["postgres", "pool", "on", "-a", "pg", "--mode", "transaction", "--no-prepared-statements"]);
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return (error.stderr.trim().split("\n")[0] ?? error.message).replace(/^Error: | \[\w+\]$/g, "");
  }
}

async function pooled(perch: Perch, answers: Answers): Promise<Peer | string> {
  const why = await poolOn(perch);
  if (why !== undefined) return why;
  const way = { name: names.pool, host: "pg.internal", port: 6432 };
  return (await answers(way)) === true ? { way, stop: () => Promise.resolve() } : "it does not answer";
}

/** Every way once a round, in an order that turns and changes its direction. */
export async function inRounds(
  ways: readonly Way[],
  rounds: number,
  signal: AbortSignal,
  once: (way: Way) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < rounds; round++)
    for (const way of turns(ways, round)) {
      signal.throwIfAborted();
      await once(way);
    }
}
