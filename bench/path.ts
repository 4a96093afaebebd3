/**
 * The way to the leader: pgbench -S and connections a second, through the kernel map at 5432, straight to the member's 5433, and through HAProxy, from inside
 * `perch run`. All within each round, in an order that turns.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../src/base/deadline.ts";
import { findProgram } from "../src/host/files.ts";
import { binariesWith, leaderOf, type Perch, withPerch } from "./ground.ts";
import type { Bench, Options, Row } from "./report.ts";
import { percentile, ratios } from "./stats.ts";

interface Way {
  name: string;
  host: string;
  port: number;
}

const loads = [
  { name: "pgbench -S, 1 client", args: ["-c", "1", "-j", "1", "-M", "prepared"], unit: "transactions/s" },
  { name: "pgbench -S, 16 clients", args: ["-c", "16", "-j", "2", "-M", "prepared"], unit: "transactions/s" },
  { name: "pgbench -S -C, 4 clients", args: ["-c", "4", "-j", "2", "-C"], unit: "connections/s" },
];

export const path: Bench = {
  name: "path",
  summary: "the kernel map against the member itself and HAProxy",
  run: (options) =>
    withPerch(async (perch) => {
      const binaries = await binariesWith(perch, "pgbench", "pg_isready");
      if (typeof binaries === "string") return { skipped: binaries };
      await perch.type(["up"]);
      await perch.type(["postgres", "create", "--name", "pg", "--region", "ams"]);
      await perch.type(["apps", "create", "web"]);
      await perch.type(["postgres", "attach", "pg", "--app", "web"]);
      const pgbench = await pgbenchIn(perch, binaries.directory);
      options.say("filling the tables, scale 10");
      await pgbench.fill();
      const { address, port } = await leaderOf(perch, "pg");
      const ways: Way[] = [
        { name: "pg.internal:5432", host: "pg.internal", port: 5432 },
        { name: `address:${port}`, host: address, port },
      ];
      const haproxy = await startHaproxy(perch, address, port, join(binaries.directory, "pg_isready"));
      if (typeof haproxy !== "string") ways.push(haproxy.way);
      try {
        const rows = await measure(pgbench.run, ways, options);
        const notes = [`PostgreSQL ${binaries.version}, scale 10, TLS as libpq prefers it; the ratio is to the member's own address:${port}.`];
        return { rows, notes: typeof haproxy === "string" ? [...notes, `HAProxy was not measured: ${haproxy}.`] : notes };
      } finally {
        if (typeof haproxy !== "string") await haproxy.stop();
      }
    }),
};

type RunPgbench = (way: Way, args: readonly string[], seconds: number) => Promise<{ rate: number; p99: number }>;

async function pgbenchIn(perch: Perch, directory: string): Promise<{ fill(): Promise<string>; run: RunPgbench }> {
  const url = new URL(await perch.type(["run", "-a", "web", "--", "printenv", "DATABASE_URL"]));
  const env = { PGUSER: url.username, PGPASSWORD: decodeURIComponent(url.password), PGDATABASE: url.pathname.slice(1) };
  const logs = join(perch.home.root, "pgbench");
  const inside = (args: readonly string[]) => perch.type(["run", "-a", "web", "--", join(directory, "pgbench"), ...args], { env });
  return {
    fill: () => inside(["-h", url.hostname, "-p", url.port, "-i", "-q", "-s", "10"]),
    async run({ host, port }, args, seconds) {
      await mkdir(logs);
      const log = ["-l", "--sampling-rate=0.1", `--log-prefix=${join(logs, "t")}`];
      const said = await inside(["-n", "-S", "-h", host, "-p", String(port), "-T", String(seconds), ...args, ...log]);
      const lines = (await Promise.all((await readdir(logs)).map((file) => readFile(join(logs, file), "utf8")))).join("").trimEnd().split("\n");
      await rm(logs, { recursive: true });
      return {
        rate: Number(/^tps = ([\d.]+)/m.exec(said)?.[1]),
        p99:
          percentile(
            lines.map((line) => Number(line.split(" ")[2])),
            0.99,
          ) / 1_000,
      };
    },
  };
}

async function measure(pgbench: RunPgbench, ways: readonly Way[], { quick, say, signal }: Options): Promise<Row[]> {
  const [rounds, seconds] = quick ? [2, 1] : [12, 2];
  const rows: Row[] = [];
  for (const load of loads) {
    const [rates, p99s] = [new Map(ways.map(({ name }) => [name, [] as number[]])), new Map(ways.map(({ name }) => [name, [] as number[]]))];
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < ways.length; turn++) {
        signal.throwIfAborted();
        const way = ways[(round + turn) % ways.length] as Way;
        const { rate, p99 } = await pgbench(way, load.args, seconds);
        rates.get(way.name)?.push(rate);
        p99s.get(way.name)?.push(p99);
      }
      say(`${load.name}: ${round + 1} of ${rounds}`);
    }
    const [, direct = ways[0] as Way] = ways;
    for (const { name } of ways.filter((way) => way !== direct)) {
      const both = (of: Map<string, number[]>) => ({ values: { [name]: of.get(name) ?? [], direct: of.get(direct.name) ?? [] } });
      const ratio = (of: Map<string, number[]>) => ratios(of.get(name) ?? [], of.get(direct.name) ?? []);
      const isMap = name !== "HAProxy";
      rows.push(
        { what: load.name, unit: load.unit, ...both(rates), ratio: ratio(rates), ...(isMap ? { goal: { atLeast: 0.97 } } : {}) },
        { what: `${load.name}, p99`, unit: "ms", ...both(p99s), ratio: ratio(p99s), ...(isMap ? { goal: { atMost: 1.03 } } : {}) },
      );
    }
  }
  return rows;
}

/** HAProxy as Debian has it, in the same namespace; or why not. */
async function startHaproxy(perch: Perch, address: string, port: number, isReady: string): Promise<{ way: Way; stop(): Promise<void> } | string> {
  const program = await findProgram("haproxy");
  if (program === undefined) return "it is not installed (apt-get install haproxy)";
  const way = { name: "HAProxy", host: "::1", port: 5440 };
  const file = join(perch.home.root, "haproxy.cfg");
  const timeouts = ["connect", "client", "server"].map((side) => `  timeout ${side} 60s`);
  const text = ["defaults", "  mode tcp", ...timeouts, "listen pg", `  bind [::1]:${way.port}`, `  server leader [${address}]:${port}`];
  await writeFile(file, `${text.join("\n")}\n`);
  const [command = "", ...args] = perch.argv(["run", "-a", "web", "--", program, "-db", "-f", file]);
  const child = spawn(command, args, { stdio: "ignore", env: { ...process.env, PERCH_HOME: perch.home.root } });
  const stop = () => ended(child);
  const ready = () =>
    perch.type(["run", "--", isReady, "-q", "-h", way.host, "-p", String(way.port)]).then(
      () => true,
      () => undefined,
    );
  if ((await ask(ready, { everyMs: 50, withinMs: 10_000 })) === true) return { way, stop };
  await stop();
  return "it does not answer";
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
