/**
 * The name server against dnsmasq: the same 50 AAAA names, in the same namespace, asked by dnsperf in rounds that
 * alternate: answers a second, the latency of one question at a time, and memory. As root only.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask } from "../src/base/deadline.ts";
import { askNameServer } from "../src/dns/ask.ts";
import { startNameServer } from "../src/dns/start.ts";
import type { ZoneData } from "../src/dns/zone-data.ts";
import { run } from "../src/host/process/command.ts";
import { findProgram } from "../src/host/files/files.ts";
import { machineAddress, networkResolver } from "../src/model/address.ts";
import { findRegion } from "../src/model/region.ts";
import type { Bench, Options, Outcome } from "./report.ts";
import { ratios } from "./stats.ts";

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
  apps: hosts.map(({ name, address }) => ({
    name,
    machines: [{ id: `m-${name}`, region: "ams", address, state: "started", healthy: true }],
  })),
};

const residentMb = async (pid: number): Promise<number> =>
  Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;

export const dns: Bench = {
  name: "dns",
  summary: "the name server against dnsmasq",
  async run(options) {
    const missing: string[] = [];
    for (const program of ["dnsperf", "dnsmasq", "ip"])
      if ((await findProgram(program)) === undefined) missing.push(program);
    if (missing.length > 0)
      return { skipped: `${missing.join(", ")} not found (apt-get install dnsperf dnsmasq-base iproute2)` };
    if (process.getuid?.() !== 0) return { skipped: "this one needs root" };
    const directory = await mkdtemp(join(tmpdir(), "perch-bench-dns-"));
    try {
      await run(["ip", "netns", "add", namespace]);
      await run([...enter, "ip", "link", "set", "lo", "up"]);
      for (const address of [perchAt, dnsmasqAt])
        await run([...enter, "ip", "-6", "address", "add", `${address}/128`, "dev", "lo", "nodad"]);
      return await measure(directory, options);
    } finally {
      await run(["ip", "netns", "delete", namespace]).catch(() => undefined);
      await rm(directory, { recursive: true, force: true });
    }
  },
};

async function measure(directory: string, { quick, say, signal }: Options): Promise<Outcome> {
  const [rounds, seconds] = quick ? [2, 1] : [5, 3];
  const [questions, table] = [join(directory, "questions"), join(directory, "hosts")];
  await writeFile(questions, hosts.map(({ name }) => `${name}.internal AAAA\n`).join(""));
  await writeFile(table, hosts.map(({ name, address }) => `${address} ${name}.internal\n`).join(""));

  const program = [process.execPath, fileURLToPath(new URL("../dist/dns/main.js", import.meta.url))];
  const bindings = (["udp", "tcp"] as const).map((protocol) => ({
    address: perchAt,
    port: 53,
    region: "ams",
    protocol,
  }));
  const settings = { zone, control: join(directory, "dns.sock"), enter, version: "bench", bindings };
  const perch = await startNameServer(settings, undefined, program);
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
  const dnsmasq = spawn(
    "ip",
    ["netns", "exec", namespace, "dnsmasq", ...dnsmasqArgs, `--listen-address=${dnsmasqAt}`, "--pid-file="],
    {
      stdio: "ignore",
    },
  );
  try {
    const ready = (server: string) =>
      askNameServer(enter, { name: "app7.internal", type: "AAAA", server, tcp: false }).catch(() => undefined);
    for (const server of [perchAt, dnsmasqAt]) {
      const answer = await ask(() => ready(server), { everyMs: 50, withinMs: 10_000 });
      if (answer?.answers.length !== 1) throw new Error(`${server} does not answer`);
    }

    const figures = () => ({ perch: [] as number[], dnsmasq: [] as number[] });
    const [rate, latency] = [figures(), figures()];
    for (let round = 0; round < rounds; round++) {
      signal.throwIfAborted();
      for (const who of round % 2 === 0 ? (["perch", "dnsmasq"] as const) : (["dnsmasq", "perch"] as const)) {
        const at = who === "perch" ? perchAt : dnsmasqAt;
        rate[who].push(await answersPerSecond(at, questions, seconds, say));
        latency[who].push(await oneAtATime(at, questions));
      }
      say(`names: ${round + 1} of ${rounds}`);
    }
    const resident = {
      perch: [await residentMb((await perch.ping()).pid)],
      dnsmasq: [await residentMb(dnsmasq.pid ?? 0)],
    };
    return {
      rows: [
        {
          what: "50 AAAA names, 100 outstanding",
          unit: "answers/s",
          values: rate,
          ratio: ratios(rate.perch, rate.dnsmasq),
          goal: { atLeast: 0.8 },
        },
        { what: "one question at a time", unit: "µs", values: latency, ratio: ratios(latency.perch, latency.dnsmasq) },
        { what: "resident after that", unit: "MB", values: resident },
      ],
    };
  } finally {
    dnsmasq.kill();
    await perch.stop();
  }
}

async function answersPerSecond(
  server: string,
  questions: string,
  seconds: number,
  say: (sentence: string) => void,
): Promise<number> {
  const { stdout } = await run([
    ...enter,
    "dnsperf",
    "-s",
    server,
    "-d",
    questions,
    "-l",
    String(seconds),
    "-q",
    "100",
  ]);
  const lost = Number(/Queries lost:\s+(\d+)/.exec(stdout)?.[1] ?? Number.NaN);
  if (lost > 0) say(`${server}: ${lost} questions lost`);
  return Number(/Queries per second:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
}

/** The mean of 2,000 questions, each asked after the answer to the last; microseconds. */
async function oneAtATime(server: string, questions: string): Promise<number> {
  const { stdout } = await run([...enter, "dnsperf", "-s", server, "-d", questions, "-n", "40", "-q", "1"]);
  return Number(/Average Latency \(s\):\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN) * 1e6;
}
