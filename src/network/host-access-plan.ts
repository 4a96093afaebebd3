/**
 * A way for the host itself into the network, as text: a pair of interfaces with one end on the host and one inside, a
 * route for the /48, and rules inside. The host's firewall and files are not touched: everything on its side belongs to
 * the one interface, and is gone with it. Pure; `host-access.ts` sets it.
 */
import { reachablePorts } from "../model/ports.ts";
import { hostAddress, networkResolver } from "../model/address.ts";

export const insideLink = "perch-host";
const gateway = "fe80::5048:1";
const ownEnd = "fe80::5048:2";

/** The host's end: one a network, 15 characters at most. */
export const hostLink = (homeId: string): string => `perch-${homeId}`;

/** `ip -6 -batch -` on the host, when the pair is there. */
export const hostCommands = (link: string, prefix: string): string => `link set dev ${link} addrgenmode none
address replace ${hostAddress(prefix)}/128 dev ${link} nodad
address replace ${ownEnd}/64 dev ${link} nodad
link set dev ${link} up
route replace ${prefix}::/48 via ${gateway} dev ${link} src ${hostAddress(prefix)}
`;

/** The same inside: the host's one address is reached by it, and nothing else is. */
export const insideCommands = (prefix: string): string => `link set dev ${insideLink} addrgenmode none
address replace ${gateway}/64 dev ${insideLink} nodad
link set dev ${insideLink} up
route replace ${hostAddress(prefix)}/128 via ${ownEnd} dev ${insideLink}
`;

/**
 * The host may what a peer may. Whom it would lead in, with another address than its own, is refused; nobody inside may
 * begin to speak to the host; and nothing is passed on from either side. `input` is behind the map of 5432, so that the
 * port is the leader's own by then.
 */
export const hostAccessRules = (prefix: string): string => `${noHostAccessRules}add table inet perch-host
add chain inet perch-host input { type filter hook input priority 0; policy accept; }
add chain inet perch-host output { type filter hook output priority 0; policy accept; }
add chain inet perch-host forward { type filter hook forward priority 0; policy accept; }
add rule inet perch-host input iifname != "${insideLink}" accept
add rule inet perch-host input icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
add rule inet perch-host input ip6 saddr != ${hostAddress(prefix)} drop
add rule inet perch-host input ip6 daddr != ${prefix}::/48 drop
add rule inet perch-host input ct state established,related accept
add rule inet perch-host input tcp dport { ${reachablePorts.join(", ")} } accept
add rule inet perch-host input udp dport 53 accept
add rule inet perch-host input icmpv6 type echo-request accept
add rule inet perch-host input reject with icmpx type admin-prohibited
add rule inet perch-host output oifname != "${insideLink}" accept
add rule inet perch-host output icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
add rule inet perch-host output ct state established,related accept
add rule inet perch-host output reject with icmpx type admin-prohibited
add rule inet perch-host forward iifname "${insideLink}" drop
add rule inet perch-host forward oifname "${insideLink}" drop
`;

export const noHostAccessRules = "add table inet perch-host\ndelete table inet perch-host\n";

/**
 * How systemd-resolved is told, of this interface alone: names of the network are asked inside, and nothing else is. It
 * forgets with the interface.
 */
export const resolvedCommands = (link: string, prefix: string): string[][] => [
  ["resolvectl", "dns", link, networkResolver(prefix)],
  ["resolvectl", "domain", link, "~internal", "~flycast"],
  ["resolvectl", "default-route", link, "no"],
];

/** What to add by hand where it does not run. */
export const resolverLines = (prefix: string): string[] => [
  `dnsmasq: server=/internal/${networkResolver(prefix)}`,
  `unbound: forward-zone: name: "internal" forward-addr: ${networkResolver(prefix)}; server: domain-insecure: "internal"`,
];
