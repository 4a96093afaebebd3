/**
 * Where a connection waits while its cluster has no leader, in the kernel alone. A SYN to 5432 or 6432 of a held address is marked and routed into a veth pair, to a
 * gateway that does not exist: the kernel keeps it in that neighbour's queue. When there is a leader again the neighbour is given an address, the queue
 * runs out of the other end of the pair, and the map leads each SYN to the new leader as if it had just been sent: nobody retransmits, nothing relays, and
 * the waiting goes on when perchd is killed. After `patienceSeconds` the kernel gives up and the client reads EHOSTUNREACH. Texts only; pure.
 */

const inner = "perch-wait";
const outer = "perch-door";
const gateway = "fe80::5043";
const mark = "0x5043";
const table = 5043;
/** Neighbour discovery asks once a second, so often. */
export const patienceSeconds = 8;

/**
 * `ip -6 -force -batch -`: makes the pair; `-force` passes over what is there. Rule 0 finds local addresses before any mark is looked at, so the marked ones are asked
 * for first and the rule for local addresses follows; packets that come in (those that waited, too) are not asked.
 */
export const waitingRoomCommands = `link add ${inner} type veth peer name ${outer}
link set ${inner} addrgenmode none
link set ${outer} addrgenmode none
address replace fe80::1/64 dev ${inner} nodad
link set ${inner} up
link set ${outer} up
ntable change name ndisc_cache dev ${inner} mcast_probes ${patienceSeconds} retrans 1000
rule add pref 10 fwmark ${mark} iif lo lookup ${table}
rule add pref 100 lookup local
rule delete pref 0
route replace default via ${gateway} dev ${inner} table ${table}
`;

/** Part of the table's text: a mark put on at `hold` is taken off at the door, and who knocks from outside of the namespace knocks again in a second. */
export const waitingRoomText = `add set inet perch held { type ipv6_addr; }
add chain inet perch hold { type route hook output priority -300; policy accept; }
add chain inet perch door { type filter hook prerouting priority -300; policy accept; }
`;

const doorText = `flush chain inet perch door
add rule inet perch door iifname "${outer}" meta mark set 0
`;

/** What sets who is held. The chain is empty while nobody is, so that a packet at rest passes no rule more. */
export function heldText(ports: readonly number[], held: readonly string[]): string {
  const text = `flush set inet perch held\nflush chain inet perch hold\n${doorText}`;
  if (held.length === 0) return text;
  const knocks = `tcp dport { ${ports.join(", ")} } ip6 daddr @held tcp flags & (syn | ack) == syn`;
  return `${text}add element inet perch held { ${held.join(", ")} }
add rule inet perch hold ${knocks} notrack meta mark set ${mark}
add rule inet perch door iifname != { "lo", "${outer}" } ${knocks} drop
`;
}

/** `ip -6 -batch -` with the door's own link address: lets everyone out and closes again. */
export const releaseCommands = (doorAddress: string): string =>
  `neighbour replace ${gateway} lladdr ${doorAddress} dev ${inner} nud permanent\nneighbour delete ${gateway} dev ${inner}\n`;

/** Where the system shows the door's link address. */
export const doorQuestion: readonly string[] = ["ip", "-json", "link", "show", "dev", outer];
