/**
 * The WireGuard door as text: what `wg`, `ip` and `nft` are told. Its UDP socket is on the host, where it was made; its
 * interface is inside, where peers come out. Pure; `device.ts` makes the device and tells it, `supervisor.ts` keeps it.
 */
import { reachablePorts } from "../model/ports.ts";
import { peerNetwork } from "../model/address.ts";

export interface WireGuardWish {
  /** Where it listens on the host, UDP. */
  port: number;
  privateKey: string;
  publicKey: string;
  peers: readonly WireGuardPeer[];
}

export interface WireGuardPeer {
  publicKey: string;
  /** The only one it may have. */
  address: string;
  /** Where it was last heard from. */
  endpoint?: string;
}

/** What a device says of itself: `wg show … public-key`, `… listen-port` and `… allowed-ips`. */
export interface WireGuardState {
  port: number;
  publicKey: string;
  peers: readonly WireGuardPeer[];
}

/**
 * The whole, for `wg syncconf`, by stdin. A device that was made anew knows no peer's whereabouts, and a peer finds out
 * only after 15 seconds that nobody answers: it is called where it was heard last, until `quietWords`.
 */
export const wholeText = ({ port, privateKey, peers }: WireGuardWish): string =>
  [
    `[Interface]\nListenPort = ${port}\nPrivateKey = ${privateKey}\n`,
    ...peers.map(({ publicKey, address, endpoint }) => {
      const call = endpoint === undefined ? "" : `Endpoint = ${endpoint}\nPersistentKeepalive = 5\n`;
      return `[Peer]\nPublicKey = ${publicKey}\nAllowedIPs = ${address}/128\n${call}`;
    }),
  ].join("\n");

/** For `wg set`: who was called is called no more, wherever he may be. Empty where nobody was. */
export const quietWords = (peers: readonly WireGuardPeer[]): string[] =>
  peers
    .filter(({ endpoint }) => endpoint !== undefined)
    .flatMap(({ publicKey }) => ["peer", publicKey, "persistent-keepalive", "0"]);

export type WireGuardChange =
  | { kind: "nothing" }
  | { kind: "whole" }
  | { kind: "peers"; removed: WireGuardPeer[]; words: string[] };

/**
 * What is to be changed. A device that only gets other peers keeps its socket: wireguard-go opens another whenever it
 * is told a port, the same one, too.
 */
export function changeOf(state: WireGuardState, wish: WireGuardWish): WireGuardChange {
  if (state.port !== wish.port || state.publicKey !== wish.publicKey) return { kind: "whole" };
  const has = (peers: readonly WireGuardPeer[], peer: WireGuardPeer) =>
    peers.some(({ publicKey, address }) => publicKey === peer.publicKey && address === peer.address);
  const removed = state.peers.filter((peer) => !has(wish.peers, peer));
  const added = wish.peers.filter((peer) => !has(state.peers, peer));
  if (removed.length + added.length === 0) return { kind: "nothing" };
  const words = [
    ...removed.flatMap(({ publicKey }) => ["peer", publicKey, "remove"]),
    ...added.flatMap(({ publicKey, address }) => ["peer", publicKey, "allowed-ips", `${address}/128`]),
  ];
  return { kind: "peers", removed, words };
}

/** From the lines of `wg show … allowed-ips`: a key, a tab, its networks. */
export const peersIn = (text: string): WireGuardPeer[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [publicKey = "", networks = ""] = line.split("\t");
      return { publicKey, address: networks.replace(/\/128$/, "") };
    });

/** `ip -batch -`, inside: it is up, and peers are reached by it. */
export const linkCommands = (name: string, prefix: string): string =>
  `link set dev ${name} addrgenmode none\nlink set dev ${name} up\nroute replace ${peerNetwork(prefix)} dev ${name}\n`;

/**
 * Whom the device lets in, and where to. What a peer may not reach is refused rather than passed over in silence, and
 * nothing goes on from it to anywhere else: no packet is forwarded. `input` is behind the map of 5432, so that the port
 * is the leader's own by then.
 */
export const admissionText = (name: string, prefix: string): string => `add table inet perch
add chain inet perch peers { type filter hook input priority 0; policy accept; }
add chain inet perch beyond { type filter hook forward priority 0; policy accept; }
flush chain inet perch peers
flush chain inet perch beyond
add rule inet perch peers iifname != "${name}" accept
add rule inet perch peers ct state established,related accept
add rule inet perch peers ip6 daddr != ${prefix}::/48 drop
add rule inet perch peers tcp dport { ${reachablePorts.join(", ")} } accept
add rule inet perch peers udp dport 53 accept
add rule inet perch peers icmpv6 type echo-request accept
add rule inet perch peers reject with icmpx type admin-prohibited
add rule inet perch beyond iifname "${name}" drop
`;

/** The same away again: without peers no packet passes a rule more. */
export const closedText = `add table inet perch
add chain inet perch peers { type filter hook input priority 0; policy accept; }
add chain inet perch beyond { type filter hook forward priority 0; policy accept; }
delete chain inet perch peers
delete chain inet perch beyond
`;
