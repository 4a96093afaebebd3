/**
 * A public door against the private way: the same pgbench, the same server, TLS both times, once from inside `perch
 * run` and once from the host through the door.
 */
import { findProgram } from "../src/host/files/files.ts";
import { run } from "../src/host/process/command.ts";
import { freePort } from "../src/host/sockets/ports.ts";
import { type Perch, withPerch } from "./ground.ts";
import type { Bench, Options, Outcome, Row } from "./report.ts";
import { ratios } from "./stats.ts";

const loads: readonly { what: string; unit: string; args: readonly string[] }[] = [
  { what: "pgbench -S, 1 client", unit: "transactions/s", args: ["-S", "-c", "1"] },
  { what: "pgbench -S, 16 clients", unit: "transactions/s", args: ["-S", "-c", "16", "-j", "2"] },
  { what: "pgbench -S -C, 4 clients", unit: "connections/s", args: ["-S", "-C", "-c", "4", "-j", "2"] },
];

export const door: Bench = {
  name: "door",
  summary: "a public TLS connection against a private one",
  async run(options) {
    if ((await findProgram("pgbench")) === undefined) return { skipped: "pgbench is not there" };
    return withPerch((perch) => measure(perch, options));
  },
};

async function measure(perch: Perch, { quick, say, signal }: Options): Promise<Outcome> {
  const port = (await freePort()) ?? 0;
  await perch.type(["up"]);
  await perch.type(["postgres", "create", "--name", "pg"]);
  await perch.type(["apps", "create", "web"]);
  await perch.type(["postgres", "attach", "pg", "--app", "web"]);
  const url = (await perch.type(["run", "-a", "web", "--", "printenv", "DATABASE_URL"])).trim();
  const { username, password, pathname } = new URL(url);
  const unlimited = ["--max-connections", "1000", "--max-per-source", "1000", "--max-rate", "100000"];
  await perch.type([
    "postgres",
    "expose",
    "-a",
    "pg",
    "--hostname",
    "db.example.com",
    "--listen",
    `127.0.0.1:${port}`,
    ...unlimited,
  ]);
  const inside = (words: readonly string[]) =>
    perch.type(["run", "-a", "web", "--env", "PGSSLMODE=require", "--", ...words]);
  const env = {
    PGHOST: "127.0.0.1",
    PGPORT: String(port),
    PGUSER: username,
    PGPASSWORD: password,
    PGDATABASE: pathname.slice(1),
    PGSSLMODE: "require",
  };
  const outside = async (words: readonly string[]) => (await run(words, { env, timeoutMs: 120_000 })).stdout;
  await inside(["pgbench", "-i", "-q", "-s", "10"]);

  const [rounds, seconds] = quick ? [2, 1] : [10, 2];
  const rows: Row[] = [];
  for (const { what, unit, args } of loads) {
    const values: { door: number[]; private: number[] } = { door: [], private: [] };
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      const pair = [["door", outside] as const, ["private", inside] as const];
      for (const [who, by] of round % 2 === 0 ? pair : pair.toReversed()) {
        const said = await by(["pgbench", "-n", "-T", String(seconds), ...args]);
        values[who].push(Number(/^tps = ([\d.]+)/m.exec(said)?.[1]));
      }
    }
    rows.push({ what, unit, values, ratio: ratios(values.door, values.private) });
    say(what);
  }
  return { rows, notes: ["Private: inside `perch run`, through the kernel map. TLS both times, `sslmode=require`."] };
}
