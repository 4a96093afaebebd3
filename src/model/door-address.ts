import { formatAddress, parseAddress } from "./address.ts";
import { isIPv4 } from "./exposure.ts";

/**
 * Where somebody who came by a public door stands in the private network: at an address of the door's own /64 that
 * holds his own in its lower half. So PostgreSQL sees, logs and admits each source by itself, though a relay stands
 * between.
 *
 *     fdaa:3f9a:12bc : ffff : 0000:ffff:cb00:7107        203.0.113.7
 *     fdaa:3f9a:12bc : ffff : 2001:0db8:0001:0002        2001:db8:1:2::/64, of which one customer has all
 *
 * Portable mode has the host's loopback instead of a network: there a source has an address of 127.64.0.0/10, by a hash
 * of 22 bits.
 */
const doorRegion = 0xffff;

export const portableDoor = "127.64.0.0/10";
export const doorNetwork = (prefix: string): string => `${prefix}:${doorRegion.toString(16)}::/64`;

/** `prefix` is undefined in portable mode; `source` an address as a socket gives it. */
export function doorAddress(prefix: string | undefined, source: string): string {
  const half = halfOf(source);
  if (prefix !== undefined)
    return formatAddress([...(parseAddress(`${prefix}::`) ?? []).slice(0, 3), doorRegion, ...half]);
  // FNV-1a.
  let hash = 0x811c9dc5;
  for (const group of half) hash = Math.imul(Math.imul(hash ^ (group >>> 8), 0x01000193) ^ (group & 0xff), 0x01000193);
  return `127.${64 + ((hash >>> 16) & 63)}.${(hash >>> 8) & 255}.${hash & 255}`;
}

/** Whether somebody at that address came by a door; apps inside have others. */
export function isDoorAddress(prefix: string | undefined, address: string): boolean {
  if (prefix === undefined) return /^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(address);
  const door = parseAddress(doorNetwork(prefix).replace("/64", ""));
  const groups = parseAddress(address);
  return door !== undefined && groups !== undefined && door.slice(0, 4).every((group, at) => group === groups[at]);
}

/** Whom a door's address stands for; undefined where it does not tell. */
export function sourceOf(address: string): string | undefined {
  const half = parseAddress(address)?.slice(4);
  if (half === undefined) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = half;
  if (a === 0 && b === 0xffff) return [c >>> 8, c & 255, d >>> 8, d & 255].join(".");
  return a + b + c + d === 1 ? "::1" : `${formatAddress([a, b, c, d, 0, 0, 0, 0])}/64`;
}

/** The four groups that tell sources apart. */
function halfOf(source: string): number[] {
  const bare = source.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
  if (isIPv4(bare)) {
    const [a = 0, b = 0, c = 0, d = 0] = bare.split(".").map(Number);
    return [0, 0xffff, (a << 8) | b, (c << 8) | d];
  }
  const half = (parseAddress(bare) ?? [0, 0, 0, 0]).slice(0, 4);
  // All zeros would be the anycast address of the /64.
  return half.every((group) => group === 0) ? [0, 0, 0, 1] : half;
}
