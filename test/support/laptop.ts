import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { endProcess, identify } from "../../src/host/process/process.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";
import { type Ended, type RunningProgram, runToEnd, start, succeeded } from "./perch.ts";
import { temporaryDirectory } from "./temporary.ts";
import { eventually } from "./world.ts";

/**
 * A host of Perch that is no namespace of the test's, and laptops elsewhere, each at the other end of a wire of its
 * own.
 */
export const hostAddress = "203.0.113.1";

const id = process.pid.toString(36);
const namespaces: string[] = [];
const tunnels: Laptop[] = [];
afterAll(async () => {
  await Promise.all(tunnels.map((tunnel) => tunnel.leave()));
  for (const name of namespaces) await runToEnd(["ip", "netns", "delete", name]);
});

const enter = (name: string): string[] => ["nsenter", `--net=/run/netns/${name}`, "--"];
const ip = async (...args: string[]): Promise<string> => succeeded(await runToEnd(["ip", ...args]));

async function namespace(name: string): Promise<string> {
  namespaces.push(name);
  await ip("netns", "add", name);
  await ip("-n", name, "link", "set", "lo", "up");
  return name;
}

/** argv that puts a program on the host. */
export async function remoteHost(): Promise<string[]> {
  const name = await namespace(`wh${id}`);
  await ip("-n", name, "address", "add", `${hostAddress}/32`, "dev", "lo");
  return enter(name);
}

export interface Laptop {
  /** Runs a program on it. Its names are looked up at the configuration's DNS alone. */
  run(argv: readonly string[], env?: Record<string, string>): Promise<Ended>;
  /** The same, begun and not waited for. */
  begin(argv: readonly string[]): Promise<RunningProgram>;
  /** `wg` about its interface: `show latest-handshakes`, `set listen-port 1234`. */
  wg(verb: string, ...args: string[]): Promise<string>;
  /** Has another address from now on, and the old one no more. */
  move(from: string, to: string): Promise<void>;
  /** Asks for a name every 20 ms until it is stopped; gives how many questions were lost. */
  ask(server: string, name: string): Promise<{ answered(): boolean; stop(): Promise<{ asked: number; lost: number }> }>;
  leave(): Promise<void>;
}

/**
 * Takes a configuration as wg-quick does: `wg setconf` with what wg knows, addresses and routes with `ip`, DNS in a
 * resolv.conf that its programs alone see.
 */
export async function laptop(config: string): Promise<Laptop> {
  const number = tunnels.length;
  const [name, device, wire] = [`wl${id}x${number}`, `lt${id}x${number}`, `wire${number}`];
  await namespace(name);
  await ip("-n", `wh${id}`, "link", "add", wire, "type", "veth", "peer", "name", "wire", "netns", name);
  await ip("-n", `wh${id}`, "address", "add", `198.18.${number}.1/24`, "dev", wire);
  await ip("-n", name, "address", "add", `198.18.${number}.2/24`, "dev", "wire");
  await ip("-n", `wh${id}`, "link", "set", wire, "up");
  await ip("-n", name, "link", "set", "wire", "up");
  await ip("-n", name, "route", "add", "default", "via", `198.18.${number}.1`);

  const directory = temporaryDirectory();
  const [wg, rest] = split(readFileSync(config, "utf8"));
  const file = (called: string, text: string): string => {
    const path = join(directory, called);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const inside = async (...argv: string[]): Promise<string> => succeeded(await runToEnd([...enter(name), ...argv]));
  let goes: ProcessIdentity | undefined;
  if ((await runToEnd([...enter(name), "ip", "link", "add", "dev", device, "type", "wireguard"])).code !== 0) {
    const { pid } = await start([...enter(name), "wireguard-go", "-f", device]);
    goes = await identify(pid);
    await eventually(
      "wireguard-go answers",
      async () => (await runToEnd(["wg", "show", device, "listen-port"])).code === 0,
    );
  }
  await inside("wg", "setconf", device, file("wg.conf", wg));
  await inside("ip", "address", "add", rest.Address, "dev", device, "nodad");
  await inside("ip", "link", "set", "dev", device, "mtu", "1420", "up");
  for (const network of /AllowedIPs = (.*)/.exec(wg)?.[1]?.split(", ") ?? [])
    await inside("ip", "-6", "route", "replace", network, "dev", device);

  const shown = [
    [file("resolv.conf", `nameserver ${rest.DNS}\noptions timeout:2 attempts:2\n`), "/etc/resolv.conf"],
    [file("nsswitch.conf", "hosts: files dns\n"), "/etc/nsswitch.conf"],
  ].map(([from, to]) => `mount --bind '${from}' ${to}`);
  const script = `${shown.join(" && ")} && exec "$@"`;
  const on = (argv: readonly string[]) => [
    ...enter(name),
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "--",
    "sh",
    "-c",
    script,
    "laptop",
    ...argv,
  ];
  const made: Laptop = {
    run: (argv, env = {}) => runToEnd(on(argv), { env }),
    begin: (argv) => start(on(argv)),
    wg: async (verb, ...args) => (await inside("wg", verb, device, ...args)).trim(),
    async move(from, to) {
      await ip("-n", name, "address", "delete", `${from}/24`, "dev", "wire");
      await ip("-n", name, "address", "add", `${to}/24`, "dev", "wire");
      await ip("-n", name, "route", "replace", "default", "via", `198.18.${number}.1`);
    },
    async ask(server, question) {
      const asker = await start([
        ...enter(name),
        process.execPath,
        fileURLToPath(new URL("asker.mjs", import.meta.url)),
        server,
        question,
      ]);
      await eventually("it asks", () => asker.stdout().startsWith("asking"));
      return {
        answered: () => asker.stdout().includes("answered"),
        async stop() {
          asker.kill("SIGTERM");
          return JSON.parse((await asker.ended).stdout.trim().split("\n").at(-1) ?? "") as {
            asked: number;
            lost: number;
          };
        },
      };
    },
    async leave() {
      await runToEnd([...enter(name), "ip", "link", "delete", "dev", device]);
      if (goes !== undefined) await endProcess(goes, 2_000);
    },
  };
  tunnels.push(made);
  return made;
}

/** What `wg` takes, and what wg-quick does by itself. */
function split(config: string): [wg: string, rest: { Address: string; DNS: string }] {
  const own = /^(Address|DNS) = (.*)\n/gm;
  const rest = Object.fromEntries([...config.matchAll(own)].map(([, key = "", value = ""]) => [key, value]));
  return [config.replace(own, ""), { Address: rest["Address"] ?? "", DNS: rest["DNS"] ?? "" }];
}
