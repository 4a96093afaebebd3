/**
 * Where a connection waits while its cluster has no leader, in the kernel alone. A SYN to 5432 or 6432 of a held
 * address is marked and routed into a veth pair, to a gateway at its other end that is not let answer: the kernel keeps
 * it in that neighbour's queue. When there is a leader again the neighbour is given an address, the queue runs out of
 * the other end of the pair, and the map leads each SYN to the new leader as if it had just been sent: nobody
 * retransmits, nothing relays, and the waiting goes on when perchd is killed.
 *
 * Whatever holds ends by itself: what is held, and what keeps the gateway from answering, are elements with a timeout
 * that perchd renews for as long as it wants them. Where it does not, the kernel asks for the gateway once more, is
 * answered, and the queue runs out. Who waited for `patienceSeconds` before reads EHOSTUNREACH. Texts only; pure.
 */

const inner = "perch-wait";
const outer = "perch-door";
const gateway = "fe80::5043";
const mark = "0x5043";
const table = 5043;
/** Neighbour discovery asks once a second, so often. */
export const patienceSeconds = 8;
/**
 * So long a hold lasts that is not renewed. With the second until the gateway is asked for again, who waits comes out
 * before its patience is over.
 */
export const holdSeconds = 6;
export const renewMs = 2_000;

/**
 * `ip -6 -force -batch -`: makes the pair; `-force` passes over what is there. Rule 0 finds local addresses before any
 * mark is looked at, so the marked ones are asked for first and the rule for local addresses follows; packets that come
 * in (those that waited, too) are not asked.
 */
export const waitingRoomCommands = `link add ${inner} type veth peer name ${outer}
link set ${inner} addrgenmode none
link set ${outer} addrgenmode none
address replace fe80::1/64 dev ${inner} nodad
address replace ${gateway}/64 dev ${outer} nodad
link set ${inner} up
link set ${outer} up
ntable change name ndisc_cache dev ${inner} mcast_probes ${patienceSeconds} retrans 1000
rule add pref 10 fwmark ${mark} iif lo lookup ${table}
rule add pref 100 lookup local
rule add pref 32766 lookup main
rule delete pref 0
route replace default via ${gateway} dev ${inner} table ${table}
`;

/**
 * Part of the table's text: a mark put on at `hold` is taken off at the door, and who knocks from outside of the
 * namespace knocks again in a second. `held` is the set of 0.1.0, whose elements had no end.
 */
export const waitingRoomText = `add set inet perch held_addresses { type ipv6_addr; flags timeout; }
add set inet perch shut_doors { type ifname; flags timeout; }
add chain inet perch hold { type route hook output priority -300; policy accept; }
add chain inet perch door { type filter hook prerouting priority -300; policy accept; }
flush chain inet perch hold
flush chain inet perch door
add set inet perch held { type ipv6_addr; }
delete set inet perch held
`;

/**
 * The far end speaks only when it is asked: what it asks itself, some seconds after an answer, would tell its address
 * in the middle of the next hold.
 */
const doorText = `flush chain inet perch door
add rule inet perch door iifname "${inner}" icmpv6 type nd-neighbor-solicit drop
add rule inet perch door iifname @shut_doors icmpv6 type nd-neighbor-solicit drop
add rule inet perch door iifname "${outer}" meta mark set 0
`;

/** What sets who is held. The chain is empty while nobody is, so that a packet at rest passes no rule more. */
export function heldText(ports: readonly number[], held: readonly string[]): string {
  const text = `${renewalText(held)}flush chain inet perch hold\n${doorText}`;
  if (held.length === 0) return text;
  const knocks = `tcp dport { ${ports.join(", ")} } ip6 daddr @held_addresses tcp flags & (syn | ack) == syn`;
  return `${text}add rule inet perch hold ${knocks} notrack meta mark set ${mark}
add rule inet perch door iifname != "lo" ${knocks} drop
`;
}

/** What is held is so for another while. */
export function renewalText(held: readonly string[]): string {
  const text = "flush set inet perch held_addresses\nflush set inet perch shut_doors\n";
  if (held.length === 0) return text;
  return `${text}add element inet perch held_addresses { ${held.map((address) => `${address} timeout ${holdSeconds}s`).join(", ")} }
add element inet perch shut_doors { "${outer}" timeout ${holdSeconds}s }
`;
}

/** `ip -6 -batch -` with the door's own link address: lets everyone out and closes again. */
export const releaseCommands = (doorAddress: string): string =>
  `neighbour replace ${gateway} lladdr ${doorAddress} dev ${inner} nud permanent\nneighbour delete ${gateway} dev ${inner}\n`;

/**
 * `ip -6 -batch -`: after a hold that ended by itself the gateway has answered, and would let everybody through. It is
 * forgotten where it has; who waits for its answer still goes on to.
 */
export const forgetAnswerCommands = `neighbour flush dev ${inner} nud reachable nud stale nud delay nud probe\n`;

/** Where the system shows the door's link address. */
export const doorQuestion: readonly string[] = ["ip", "-json", "link", "show", "dev", outer];
