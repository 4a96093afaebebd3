import { fail } from "../errors/error.ts";
import { type Region, regionOfNumber } from "./region.ts";

/**
 * Addresses of the private network. A network is an RFC 4193 /48: `fdaa` and 32 random bits. After it come 16 bits of
 * region and 64 bits of machine, so that a client that sorts by longest common prefix (RFC 6724, rule 9) meets its own
 * region first.
 *
 *     fdaa:3f9a:12bc : 000c : 0000:0000:0000:0011
 *     network /48      region          machine
 *
 * Region 0 is the network's own: `<net>::3` is its resolver, `<net>::3:<n>` the resolver that region n asks (0:
 * servers), `<net>::a:<n>` peers.
 */

/** The resolver every machine of Fly.io knows. */
export const wellKnownResolver = "fdaa::3";

/**
 * Where members and relays listen in portable mode. An address, not a name: `localhost` is not everywhere, and not
 * everywhere this one first.
 */
export const portableHost = "127.0.0.1";

/** `networkPrefix(0x3f9a12bc)` → `"fdaa:3f9a:12bc"`: the three groups of the /48, without `::`. */
export function networkPrefix(random32: number): string {
  const high = (random32 >>> 16) & 0xffff;
  const low = random32 & 0xffff;
  return `fdaa:${high.toString(16)}:${low.toString(16)}`;
}

/** The canonical text (RFC 5952) of 8 groups. */
export function formatAddress(groups: readonly number[]): string {
  const hex = groups.map((group) => group.toString(16));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

/** 8 groups of 16 bits from any valid text without a zone or embedded IPv4; undefined for anything else. */
export function parseAddress(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined) => (half === undefined || half === "" ? [] : half.split(":"));
  const head = groups(halves[0]);
  const tail = groups(halves[1]);
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array<string>(halves.length === 1 ? 0 : missing).fill("0"), ...tail];
  if (!all.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return all.map((group) => Number.parseInt(group, 16));
}

const inNetwork = (prefix: string, rest: readonly number[]): string => {
  const network = parseAddress(`${prefix}::`);
  if (network === undefined) throw fail("internal", { why: `${prefix} is no network prefix` });
  return formatAddress([...network.slice(0, 3), ...rest]);
};

/** The address of machine `number` (from 16; never used twice) in a region. */
export const machineAddress = (prefix: string, region: Region, number: number): string =>
  inNetwork(prefix, [region.number, 0, 0, (number >>> 16) & 0xffff, number & 0xffff]);

/** `<net>::1`: the host, while it may reach the network. */
export const hostAddress = (prefix: string): string => inNetwork(prefix, [0, 0, 0, 0, 1]);

/** `<net>::3`, the resolver for a tunnel or a run without a region. */
export const networkResolver = (prefix: string): string => inNetwork(prefix, [0, 0, 0, 0, 3]);

/** `<net>::3:<n>`: the resolver that answers nearest-first for region n. */
export const regionResolver = (prefix: string, region: Region): string =>
  inNetwork(prefix, [0, 0, 0, 3, region.number]);

/** `<net>::3:0`: the resolver for PostgreSQL's own processes, which answers names of the network and no others. */
export const serverResolver = (prefix: string): string => inNetwork(prefix, [0, 0, 0, 3, 0]);

/** `<net>::a:<n>`: a WireGuard peer, from 1; never used twice while the network lasts. */
export const peerAddress = (prefix: string, number: number): string => inNetwork(prefix, [0, 0, 0, 0xa, number]);

/** Where all of them are. */
export const peerNetwork = (prefix: string): string => `${inNetwork(prefix, [0, 0, 0, 0xa, 0])}/112`;

/** The region a machine's address lies in; undefined for region 0 and other networks. */
export function regionOfAddress(prefix: string, address: string): Region | undefined {
  const groups = parseAddress(address);
  const network = parseAddress(`${prefix}::`);
  if (groups === undefined || network === undefined) return undefined;
  return [0, 1, 2].every((i) => groups[i] === network[i]) ? regionOfNumber(groups[3] ?? 0) : undefined;
}

/** The name to ask for PTR (RFC 3596): 32 nibbles, reversed, under ip6.arpa. */
export function reverseName(address: string): string | undefined {
  const groups = parseAddress(address);
  if (groups === undefined) return undefined;
  const nibbles = groups.map((group) => group.toString(16).padStart(4, "0")).join("");
  return `${[...nibbles].toReversed().join(".")}.ip6.arpa`;
}
