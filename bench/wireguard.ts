/**
 * The tunnel against the same path without it: a laptop's namespace on a wire to the host, from where WireGuard leads
 * in; and another on a wire that ends in the network itself, which no network of Perch has. The same pgbench, the same
 * server, no TLS either time.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run, startDetached, succeeds } from "../src/host/process/command.ts";
import { findProgram } from "../src/host/files/files.ts";
import { isRoot } from "../src/host/system/home.ts";
import { endProcess, identify } from "../src/host/process/process.ts";
import { ask } from "../src/base/deadline.ts";
import { namespaceName } from "../src/network/root-namespace.ts";
import { leaderOf, type Perch, withPerch } from "./ground.ts";
import type { Bench, Options, Outcome, Row } from "./report.ts";
import { ratios } from "./stats.ts";

const loads: readonly { what: string; args: readonly string[] }[] = [
  { what: "pgbench -S, 1 client", args: ["-S", "-c", "1"] },
  { what: "pgbench -S, 16 clients", args: ["-S", "-c", "16", "-j", "2"] },
];
const needed = ["pgbench", "ip", "wg", "wireguard-go"];

export const wireguard: Bench = {
  name: "wireguard",
  summary: "the WireGuard tunnel against the same path without it",
  async run(options) {
    const found = await Promise.all(needed.map(findProgram));
    const missing = needed.filter((_, at) => found[at] === undefined);
    if (missing.length > 0) return { skipped: `${missing.join(", ")} not found` };
    if (!isRoot()) return { skipped: "it needs root" };
    return withPerch((perch) => measure(perch, options));
  },
};

const ip = (...args: string[]) => run(["ip", ...args]);
const inside = (name: string, argv: readonly string[]) => ["nsenter", `--net=/run/netns/${name}`, "--", ...argv];

async function measure(perch: Perch, options: Options): Promise<Outcome> {
  const names = { wire: `${namespaceName(perch.home)}-w`, tunnel: `${namespaceName(perch.home)}-t` };
  let stop: () => Promise<unknown> = () => Promise.resolve();
  try {
    await perch.type(["up"]);
    await perch.type(["postgres", "create", "--name", "pg", "--password", "bench-password"]);
    const { address } = await leaderOf(perch, "pg");
    const prefix = address.split(":").slice(0, 3).join(":");
    for (const name of Object.values(names)) await ip("netns", "add", name);
    await layWire(names.wire, namespaceName(perch.home), prefix);
    stop = await layTunnel(perch, names.tunnel);
    return await compare({ tunnel: names.tunnel, wire: names.wire }, address, options);
  } finally {
    await stop();
    for (const name of Object.values(names)) await succeeds(["ip", "netns", "delete", name]);
  }
}

/** Straight into the network, by an address of its own. */
async function layWire(name: string, network: string, prefix: string): Promise<void> {
  const [at, to] = ["fe80::1", `${prefix}::b:1`];
  await ip("-n", network, "link", "add", "bench", "type", "veth", "peer", "name", "bench", "netns", name);
  await ip("-n", network, "address", "add", `${at}/64`, "dev", "bench", "nodad");
  await ip("-n", name, "address", "add", `${to}/128`, "dev", "bench", "nodad");
  for (const each of [network, name]) await ip("-n", each, "link", "set", "bench", "up");
  await ip("-n", network, "-6", "route", "add", `${to}/128`, "dev", "bench");
  await ip("-n", name, "-6", "route", "add", `${prefix}::/48`, "via", at, "dev", "bench");
}

/** As wg-quick does it, at the other end of a wire to the host. Gives what ends it. */
async function layTunnel(perch: Perch, name: string): Promise<() => Promise<unknown>> {
  const [device, tunnel] = [`wb-${perch.home.id}`, `wt-${perch.home.id}`];
  const [there, here] = ["198.18.255.1", "198.18.255.2"];
  await ip("link", "add", device, "type", "veth", "peer", "name", "wire", "netns", name);
  await ip("address", "add", `${there}/30`, "dev", device);
  await ip("link", "set", device, "up");
  await ip("-n", name, "address", "add", `${here}/30`, "dev", "wire");
  await ip("-n", name, "link", "set", "wire", "up");
  const config = await perch.type(["wireguard", "create", "laptop", "--endpoint", there]);
  const file = join(perch.home.root, "wg.conf");
  await writeFile(file, config.replace(/^(Address|DNS) = .*\n/gm, ""), { mode: 0o600 });
  const [, own = ""] = /Address = (\S+)/.exec(config) ?? [];
  const [, network = ""] = /AllowedIPs = (\S+)/.exec(config) ?? [];
  let stop = async () => void (await succeeds(["ip", "link", "delete", device]));
  if (!(await succeeds(inside(name, ["ip", "link", "add", tunnel, "type", "wireguard"])))) {
    const { pid } = await startDetached(inside(name, ["wireguard-go", "-f", tunnel]));
    const identity = await identify(pid);
    const remove = stop;
    stop = async () => {
      if (identity !== undefined) await endProcess(identity, 2_000);
      await remove();
    };
    await ask(async () => ((await succeeds(["wg", "show", tunnel, "listen-port"])) ? true : undefined), {
      everyMs: 10,
      withinMs: 5_000,
    });
  }
  await run(inside(name, ["wg", "setconf", tunnel, file]));
  await ip("-n", name, "address", "add", own, "dev", tunnel, "nodad");
  await ip("-n", name, "link", "set", tunnel, "mtu", "1420", "up");
  await ip("-n", name, "-6", "route", "replace", network, "dev", tunnel);
  return stop;
}

async function compare(
  names: { tunnel: string; wire: string },
  host: string,
  { quick, say, signal }: Options,
): Promise<Outcome> {
  const env = {
    PGHOST: host,
    PGPORT: "5432",
    PGUSER: "postgres",
    PGPASSWORD: "bench-password",
    PGDATABASE: "postgres",
    PGSSLMODE: "disable",
  };
  const by = async (name: string, argv: readonly string[]) =>
    (await run(inside(name, argv), { env, timeoutMs: 120_000 })).stdout;
  await by(names.wire, ["pgbench", "-i", "-q", "-s", "10"]);
  const [rounds, seconds] = quick ? [2, 1] : [10, 2];
  const rows: Row[] = [];
  for (const { what, args } of loads) {
    const rate: { tunnel: number[]; wire: number[] } = { tunnel: [], wire: [] };
    const latency: { tunnel: number[]; wire: number[] } = { tunnel: [], wire: [] };
    for (let round = 0; round < rounds && !signal.aborted; round++) {
      const pair = ["tunnel", "wire"] as const;
      for (const who of round % 2 === 0 ? pair : pair.toReversed()) {
        const said = await by(names[who], ["pgbench", "-n", "-T", String(seconds), ...args]);
        rate[who].push(Number(/^tps = ([\d.]+)/m.exec(said)?.[1]));
        latency[who].push(Number(/^latency average = ([\d.]+)/m.exec(said)?.[1]));
      }
    }
    rows.push({ what, unit: "transactions/s", values: rate, ratio: ratios(rate.tunnel, rate.wire) });
    rows.push({ what, unit: "ms, average", values: latency, ratio: ratios(latency.tunnel, latency.wire) });
    say(what);
  }
  return {
    rows,
    notes: [
      "Wire: a veth from the client's namespace straight into the network. Both ends of the tunnel are on this host.",
    ],
  };
}
