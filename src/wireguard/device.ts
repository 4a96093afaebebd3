import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import { run, startDetached, succeeds } from "../host/process/command.ts";
import { findProgram, readText, writeWhole } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import { boundUdpPorts } from "../host/sockets/ports.ts";
import { notedProcess } from "../host/files/identity-file.ts";
import { endProcess, identify, rouse } from "../host/process/process.ts";
import { answersLine, watchSocket } from "../host/files/watch.ts";
import type { ProcessIdentity } from "../model/records.ts";
import type { Claim } from "../network/kernel/claims.ts";
import { wireguardInterface } from "../network/interface-names.ts";
import { namespaceName } from "../network/root-namespace.ts";
import {
  admissionText,
  changeOf,
  closedText,
  linkCommands,
  peersIn,
  quietWords,
  type WireGuardPeer,
  type WireGuardState,
  type WireGuardWish,
  wholeText,
} from "./config.ts";

/**
 * The device: the kernel's own where it has one, else wireguard-go. It outlives perchd and is found again by its name.
 */
export interface WireGuardDevice {
  /** Made or adopted, and as it should be. Twice is the same as once, and costs no packet. */
  set(wish: WireGuardWish): Promise<void>;
  /**
   * Asks wireguard-go for an answer: one that gives none is let go on, or ended. Gives what it was; undefined where it
   * is well, or there is none.
   */
  tend(): Promise<"stopped" | "hung" | undefined>;
  /** What the kernel holds for it, by the texts that set it. */
  claims(): Pick<Claim, "ip" | "nft">[];
  /** Gone, with what it is allowed. */
  remove(): Promise<void>;
  /** Peers by their keys, as `wg show` knows them. Undefined: there is no device. */
  show(what: "latest-handshakes" | "endpoints" | "transfer"): Promise<Map<string, string[]> | undefined>;
}

const readyWithinMs = 5_000;
/**
 * It reads what strangers send. It stays root's, whose directory its orders come by, with the rights over interfaces
 * and ports alone.
 */
const itsRights = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all,+net_admin,+net_bind_service"];
const answerMs = 3_000;
const callForMs = 10_000;
/** Node's stdin is a socket, which cannot be opened by its name; a pipe can. */
const syncconf = 'cat | wg syncconf "$1" /dev/stdin';

/** `onLost`: wireguard-go has died, or somebody deleted its interface. The kernel's device cannot die. */
export function wireGuardDevice(at: { home: Home; place: Place; prefix: string; onLost(): void }): WireGuardDevice {
  const { home, place, prefix } = at;
  const name = wireguardInterface(home.id);
  const note = join(home.runtime, "wireguard.json");
  const orders = `/var/run/wireguard/${name}.sock`;
  let unwatch: (() => void) | undefined;
  let calling: NodeJS.Timeout | undefined;
  let isSet = false;

  const inside = (argv: readonly string[], input = "") => run(place.tool(argv), { input });
  const show = async (what: string): Promise<string> => (await inside(["wg", "show", name, what])).stdout.trim();

  /** Gives whether it was made just now. */
  async function ensure(port: number): Promise<boolean> {
    if (await succeeds(place.tool(["ip", "link", "show", "dev", name]))) {
      watch();
      return false;
    }
    await clear();
    if ((await boundUdpPorts()).has(port))
      throw fail("listen_refused", { listen: `UDP port ${port}`, why: "another program listens on that port" });
    await make();
    await run(["ip", "link", "set", "dev", name, "netns", namespaceName(home)]);
    return true;
  }

  /** On the host, whose network the socket then belongs to. */
  async function make(): Promise<void> {
    if (await succeeds(["ip", "link", "add", "dev", name, "type", "wireguard"])) return writeWhole(note, "{}\n");
    if ((await findProgram("wireguard-go")) === undefined)
      throw fail("client_missing", { program: "wireguard-go", packages: "wireguard-go" });
    const started = await startDetached([...itsRights, "wireguard-go", "-f", name], {
      cwd: "/",
      env: { LOG_LEVEL: "silent" },
    });
    await writeWhole(note, `${JSON.stringify((await identify(started.pid)) ?? {})}\n`);
    let end: string | undefined;
    void started.ended.then(
      ({ exitCode, signal }) =>
        (end = `wireguard-go ended with ${signal ?? `exit code ${exitCode}`}; is there a /dev/net/tun?`),
    );
    const ready = await ask(
      async () => end ?? ((await succeeds(["wg", "show", name, "listen-port"])) ? true : undefined),
      {
        everyMs: 10,
        withinMs: readyWithinMs,
      },
    );
    if (ready !== true) throw fail("wireguard_failed", { why: ready ?? "wireguard-go does not answer" });
    watch();
  }

  /** A connection to wireguard-go that says nothing: it closes with the process. */
  function watch(): void {
    unwatch ??= watchSocket(orders, () => {
      unwatch = undefined;
      at.onLost();
    });
  }

  /** What is left of one that is not inside. */
  async function clear(): Promise<void> {
    unwatch?.();
    unwatch = undefined;
    const text = await readText(note);
    if (text === undefined) return;
    const left = JSON.parse(text) as Partial<ProcessIdentity>;
    await succeeds(place.tool(["ip", "link", "delete", "dev", name]));
    await succeeds(["ip", "link", "delete", "dev", name]);
    if (left.pid !== undefined && left.startTime !== undefined)
      await endProcess({ pid: left.pid, startTime: left.startTime }, 2_000);
    await rm(note, { force: true });
  }

  async function state(): Promise<WireGuardState> {
    const [publicKey, port, peers] = await Promise.all([show("public-key"), show("listen-port"), show("allowed-ips")]);
    return { publicKey, port: Number(port), peers: peersIn(peers) };
  }

  /** A peer that was removed meanwhile stays so: `wg set` would make it anew. */
  function quieten(called: readonly WireGuardPeer[]): void {
    clearTimeout(calling);
    const turnOff = async () => {
      const now = peersIn(await show("allowed-ips"));
      const words = quietWords(called.filter(({ publicKey }) => now.some((peer) => peer.publicKey === publicKey)));
      if (words.length > 0) await inside(["wg", "set", name, ...words]);
    };
    // Peers are called a while longer than needed.
    calling = setTimeout(() => void turnOff().catch(() => undefined), callForMs);
    calling.unref();
  }

  /** Both ends of every connection of a peer hear that it is over. */
  const hangUp = (peers: readonly WireGuardPeer[]) =>
    Promise.all(peers.map(({ address }) => succeeds(place.tool(["ss", "-K", "-t", "dst", `[${address}]`]))));

  return {
    async set(wish) {
      if ((await findProgram("wg")) === undefined)
        throw fail("client_missing", { program: "wg", packages: "wireguard-tools" });
      const made = await ensure(wish.port);
      await inside(["nft", "-f", "-"], admissionText(name, prefix));
      const change = made ? ({ kind: "whole" } as const) : changeOf(await state(), wish);
      if (change.kind === "whole") {
        await inside(["sh", "-c", syncconf, "perch", name], wholeText(wish));
        quieten(wish.peers);
      }
      if (change.kind === "peers") {
        await hangUp(change.removed);
        await inside(["wg", "set", name, ...change.words]);
        await hangUp(change.removed);
      }
      await inside(["ip", "-batch", "-"], linkCommands(name, prefix));
      const open = await ask(async () => ((await boundUdpPorts()).has(wish.port) ? true : undefined), {
        everyMs: 10,
        withinMs: readyWithinMs,
      });
      if (open !== true) throw fail("wireguard_failed", { why: `it does not listen on UDP port ${wish.port}` });
      isSet = true;
    },

    async tend() {
      const left = isSet ? await notedProcess(note) : undefined;
      if (left === undefined || (await answersLine(orders, "get=1\n\n", answerMs))) return undefined;
      const was = await rouse(left);
      return was === "gone" ? undefined : was;
    },

    claims: () => (isSet ? [{ ip: linkCommands(name, prefix), nft: admissionText(name, prefix) }] : []),

    async remove() {
      clearTimeout(calling);
      isSet = false;
      if ((await readText(note)) === undefined) return;
      const peers = await state().then(
        (found) => found.peers,
        () => [],
      );
      await hangUp(peers);
      await clear();
      await hangUp(peers);
      await succeeds(place.tool(["nft", "-f", "-"]), { input: closedText });
    },

    async show(what) {
      // A device that is gone has no state, and is made again.
      const text = await show(what).catch(() => undefined);
      if (text === undefined) return undefined;
      return new Map(
        text
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => line.split("\t"))
          .map(([key = "", ...values]) => [key, values]),
      );
    },
  };
}
