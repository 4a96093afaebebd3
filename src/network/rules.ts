/**
 * The router as text: port 5432 of every member address is a map to the leader's `[address]:5433`, in the kernel. The
 * table is made once; after that only the map's elements change, in one transaction, so that connections under way
 * (whose translation is kept by conntrack) never notice.
 */
import { leaderPort, memberPort, poolPort } from "../model/ports.ts";
import { heldText, waitingRoomText } from "./held-connections.ts";

export interface RouteTable {
  /**
   * Every member's address → the address of its cluster's leader; where there is none just now, of the last one, for
   * when a hold ends by itself.
   */
  leaders: ReadonlyMap<string, string>;
  /**
   * Addresses of members whose cluster has no leader just now, and soon will: new connections wait. At those in neither
   * nobody listens.
   */
  held: ReadonlySet<string>;
  /** Every member's address → the address of its cluster's pooler, where it has one. */
  pools: ReadonlyMap<string, string>;
}

/** Makes the table where it is missing; does nothing to one that is there. */
export const tableText = `add table inet perch
add map inet perch leader { typeof ip6 daddr : ip6 daddr . tcp dport; }
add map inet perch pool { typeof ip6 daddr : ip6 daddr . tcp dport; }
add chain inet perch output { type nat hook output priority -100; policy accept; }
add chain inet perch prerouting { type nat hook prerouting priority -100; policy accept; }
flush chain inet perch output
flush chain inet perch prerouting
add rule inet perch output tcp dport ${leaderPort} dnat ip6 addr . port to ip6 daddr map @leader
add rule inet perch prerouting tcp dport ${leaderPort} dnat ip6 addr . port to ip6 daddr map @leader
add rule inet perch output tcp dport ${poolPort} dnat ip6 addr . port to ip6 daddr map @pool
add rule inet perch prerouting tcp dport ${poolPort} dnat ip6 addr . port to ip6 daddr map @pool
${waitingRoomText}`;

/** The whole map and who is held, old elements out and new ones in, as one transaction of nft. */
export function routesText({ leaders, held, pools }: RouteTable): string {
  return `${mapText("leader", leaders, memberPort)}${mapText("pool", pools, poolPort)}${heldText([leaderPort, poolPort], [...held].toSorted())}`;
}

function mapText(name: string, to: ReadonlyMap<string, string>, port: number): string {
  const elements = [...to]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([member, target]) => `${member} : ${target} . ${port}`);
  const add = elements.length === 0 ? "" : `add element inet perch ${name} { ${elements.join(", ")} }\n`;
  return `flush map inet perch ${name}\n${add}`;
}

/** The same for `ip -batch -`: what there is of these addresses, each with the route that the kernel gives it. */
export const addressLines = (wanted: readonly string[]): string =>
  wanted
    .map((address) => `address add ${address}/128 dev lo nodad\nroute add local ${address}/128 dev lo table local\n`)
    .join("");

/** What `ip -batch -` must do so that the loopback has these addresses of the network and no others of it. */
export function addressCommands(prefix: string, present: readonly string[], wanted: readonly string[]): string[] {
  const ours = (address: string) => address.startsWith(`${prefix}:`) || address === "fdaa::3";
  const [there, due] = [new Set(present), new Set(wanted)];
  const add = [...due]
    .filter((address) => !there.has(address))
    .map((address) => `address add ${address}/128 dev lo nodad`);
  const drop = present
    .filter((address) => ours(address) && !due.has(address))
    .map((address) => `address delete ${address}/128 dev lo`);
  return [...add, ...drop];
}
