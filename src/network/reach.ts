/**
 * Who may speak for whom, as text. What comes from a member's address and one of its ports is the server's own: a
 * listener of any other user there gets no connection, so that no command takes the place of a server that is down and
 * is told passwords. And who comes from outside (a peer, the host itself) reaches databases at members and names at
 * resolvers, not the same ports at other addresses. Both look at the first packets of a connection only. As root alone:
 * an ordinary user's servers and commands are one user. Pure; `interface.ts` sets it.
 */
import { leaderPort, memberPort, poolPort, memberPoolPort } from "../model/ports.ts";
import { insideLink } from "./host-access-plan.ts";
import { wireguardInterface } from "./interface-names.ts";

export interface Reach {
  /** The users that servers and poolers run as: one, or two while some run as an older Perch started them. */
  users: readonly number[];
  /** Addresses at which servers and poolers listen. */
  servers: readonly string[];
  resolvers: readonly string[];
}

const serverPorts = [leaderPort, memberPort, poolPort, memberPoolPort].join(", ");

/** The whole, in one transaction. Behind the map of 5432, so that an address is the leader's own by then. */
export const reachText = ({ users, servers, resolvers }: Reach): string => `add table inet perch-reach
delete table inet perch-reach
add table inet perch-reach
${setText("servers", servers)}${setText("resolvers", resolvers)}add chain inet perch-reach own
add chain inet perch-reach guests
add chain inet perch-reach speakers { type filter hook output priority 0; policy accept; }
add chain inet perch-reach arrivals { type filter hook input priority -10; policy accept; }
${users.map((uid) => `add rule inet perch-reach own meta skuid ${uid} accept\n`).join("")}add rule inet perch-reach own drop
add rule inet perch-reach guests tcp dport { ${serverPorts} } ip6 daddr != @servers reject with icmpx type admin-prohibited
add rule inet perch-reach guests meta l4proto { tcp, udp } th dport 53 ip6 daddr != @resolvers reject with icmpx type admin-prohibited
add rule inet perch-reach speakers tcp sport { ${serverPorts} } tcp flags & (syn | ack) == syn | ack ip6 saddr @servers jump own
add rule inet perch-reach arrivals iifname "${wireguardInterface("*")}" ct state new jump guests
add rule inet perch-reach arrivals iifname "${insideLink}" ct state new jump guests
`;

const setText = (name: string, addresses: readonly string[]): string =>
  `add set inet perch-reach ${name} { type ipv6_addr; }\n${addresses.length === 0 ? "" : `add element inet perch-reach ${name} { ${addresses.join(", ")} }\n`}`;
