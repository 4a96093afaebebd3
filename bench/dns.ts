/**
 * The name server against dnsmasq: the same 50 AAAA names, in the same namespace, asked by dnsperf in rounds that alternate. Prints answers a second,
 * the ratio of each round, the latency of one question at a time, and memory. Run as root: `npx tsx bench/dns.ts [rounds] [seconds]`.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask } from "../src/base/deadline.ts";
import { askNameServer } from "../src/dns/ask.ts";
import type { ZoneData } from "../src/dns/zone-data.ts";
import { run } from "../src/host/command.ts";
import { findProgram } from "../src/host/files.ts";
import { machineAddress, networkResolver } from "../src/model/address.ts";
import { findRegion } from "../src/model/region.ts";

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 3);
const prefix = "fdaa:be:7c4";
const perchAt = networkResolver(prefix);
const dnsmasqAt = `${prefix}::d`;
const namespace = `perch-bench-dns-${process.pid}`;
const enter = ["ip", "netns", "exec", namespace];

const ams = findRegion("ams") ?? { code: "ams", name: "", number: 1, latitude: 0, longitude: 0 };
const hosts = Array.from({ length: 50 }, (_, i) => ({ name: `app${i}`, address: machineAddress(prefix, ams, 16 + i) }));
const zone: ZoneData = {
  prefix,
  defaultRegion: "ams",
  peers: [],
  apps: hosts.map(({ name, address }) => ({ name, machines: [{ id: `m-${name}`, region: "ams", address, state: "started", healthy: true }] })),
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const spread = (values: readonly number[], digits: number): string =>
  [Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(digits)).join(" / ");

const residentMb = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

async function main(): Promise<void> {
  const missing: string[] = [];
  for (const program of ["dnsperf", "dnsmasq", "ip"]) if ((await findProgram(program)) === undefined) missing.push(program);
  if (missing.length > 0 || process.getuid?.() !== 0) {
    process.stdout.write(
      `skipped: ${missing.length > 0 ? `${missing.join(", ")} not found (apt-get install dnsperf dnsmasq-base)` : "this one needs root"}\n`,
    );
    return;
  }
  const directory = await mkdtemp(join(tmpdir(), "perch-bench-dns-"));
  try {
    await run(["ip", "netns", "add", namespace]);
    await run([...enter, "ip", "link", "set", "lo", "up"]);
    for (const address of [perchAt, dnsmasqAt]) await run([...enter, "ip", "-6", "address", "add", `${address}/128`, "dev", "lo", "nodad"]);
    await measure(directory);
  } finally {
    await run(["ip", "netns", "delete", namespace]).catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  }
}

async function measure(directory: string): Promise<void> {
  const [questions, table] = [join(directory, "questions"), join(directory, "hosts")];
  await writeFile(questions, hosts.map(({ name }) => `${name}.internal AAAA\n`).join(""));
  await writeFile(table, hosts.map(({ name, address }) => `${address} ${name}.internal\n`).join(""));

  const built = existsSync(new URL("../dist/dns/start.js", import.meta.url));
  const start = (await import(
    built ? new URL("../dist/dns/start.js", import.meta.url).href : "../src/dns/start.ts"
  )) as typeof import("../src/dns/start.ts");
  const bindings = (["udp", "tcp"] as const).map((protocol) => ({ address: perchAt, port: 53, region: "ams", protocol }));
  const perch = await start.startNameServer({ zone, control: join(directory, "dns.sock"), enter, version: "bench", bindings });
  const dnsmasqArgs = [
    "--no-daemon",
    "--conf-file=/dev/null",
    "--user=root",
    "--no-resolv",
    "--no-hosts",
    `--addn-hosts=${table}`,
    "--bind-interfaces",
    "--local-ttl=5",
  ];
  const dnsmasq = spawn("ip", ["netns", "exec", namespace, "dnsmasq", ...dnsmasqArgs, `--listen-address=${dnsmasqAt}`, "--pid-file="], {
    stdio: "ignore",
  });
  try {
    const ready = (server: string) => askNameServer(enter, { name: "app7.internal", type: "AAAA", server, tcp: false }).catch(() => undefined);
    for (const server of [perchAt, dnsmasqAt]) {
      const answer = await ask(() => ready(server), { everyMs: 50, withinMs: 10_000 });
      if (answer?.answers.length !== 1) throw new Error(`${server} does not answer`);
    }

    const figures = {
      perch: [] as number[],
      dnsmasq: [] as number[],
      ratio: [] as number[],
      single: { perch: [] as number[], dnsmasq: [] as number[] },
    };
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? (["perch", "dnsmasq"] as const) : (["dnsmasq", "perch"] as const);
      const rate = { perch: 0, dnsmasq: 0 };
      for (const who of order) {
        const at = who === "perch" ? perchAt : dnsmasqAt;
        rate[who] = await answersPerSecond(at, questions);
        figures.single[who].push(await oneAtATime(at, questions));
        figures[who].push(rate[who]);
      }
      figures.ratio.push(rate.perch / rate.dnsmasq);
    }
    const { pid } = await perch.ping();
    process.stdout.write(
      [
        `50 AAAA names, dnsperf with 100 outstanding, ${rounds} rounds of ${seconds} s; min / median / max (${built ? "built" : "from the source by tsx"})`,
        `answers a second   perch ${spread(figures.perch, 0)}   dnsmasq ${spread(figures.dnsmasq, 0)}   ratio ${spread(figures.ratio, 2)}`,
        `one at a time      perch ${spread(figures.single.perch, 0)} µs   dnsmasq ${spread(figures.single.dnsmasq, 0)} µs`,
        `resident           perch ${(await residentMb(pid)).toFixed(0)} MB   dnsmasq ${(await residentMb(dnsmasq.pid ?? 0)).toFixed(0)} MB`,
        "",
      ].join("\n"),
    );
  } finally {
    dnsmasq.kill();
    await perch.stop();
  }
}

async function answersPerSecond(server: string, questions: string): Promise<number> {
  const { stdout } = await run([...enter, "dnsperf", "-s", server, "-d", questions, "-l", String(seconds), "-q", "100"]);
  const lost = Number(/Queries lost:\s+(\d+)/.exec(stdout)?.[1] ?? Number.NaN);
  if (lost > 0) process.stdout.write(`${server}: ${lost} questions lost\n`);
  return Number(/Queries per second:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
}

/** The mean of 2,000 questions, each asked after the answer to the last; microseconds. */
async function oneAtATime(server: string, questions: string): Promise<number> {
  const { stdout } = await run([...enter, "dnsperf", "-s", server, "-d", questions, "-n", "40", "-q", "1"]);
  return Number(/Average Latency \(s\):\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN) * 1e6;
}

await main();
