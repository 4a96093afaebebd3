/**
 * The way out of the network: pasta, a process on the host that carries TCP, UDP and pings of the namespace as
 * connections of its own. What it is asked for, and the rules inside that hold it to that. Texts only; pure.
 */
export const outwardLink = "perch-out";

/** Outward alone: no port is led in or out by itself, and no address inside stands for the host's loopback. */
export function pastaArgv(
  program: string,
  { net, user }: { net: string; user?: string },
  options: { root: boolean; log: string },
): string[] {
  return [
    program,
    ..."--foreground --quiet --config-net --no-map-gw --no-dhcp --no-dhcpv6 --no-ra".split(" "),
    ..."-t none -u none -T none -U none --ns-ifname".split(" "),
    outwardLink,
    "--log-file",
    options.log,
    // Else it becomes `nobody`, who may not enter the namespace.
    ...(options.root ? ["--runas", "0:0"] : []),
    ...(user === undefined ? ["--netns-only"] : ["--userns", user]),
    "--netns",
    net,
  ];
}

/**
 * Nobody comes in by this way. By it nobody reaches other networks of Perch, which the host may have a route to, and
 * servers of PostgreSQL, where they can be told from apps by their user, reach nothing.
 */
export const outwardRules = (servers: readonly number[]): string => `add table inet perch-out
add chain inet perch-out input { type filter hook input priority 0; policy accept; }
add chain inet perch-out output { type filter hook output priority 0; policy accept; }
flush table inet perch-out
add rule inet perch-out input iifname != "${outwardLink}" accept
add rule inet perch-out input ct state established,related accept
add rule inet perch-out input meta l4proto ipv6-icmp accept
add rule inet perch-out input drop
add rule inet perch-out output oifname != "${outwardLink}" accept
add rule inet perch-out output ip6 daddr fdaa::/16 reject
${servers.map((uid) => `add rule inet perch-out output meta skuid ${uid} reject\n`).join("")}`;
