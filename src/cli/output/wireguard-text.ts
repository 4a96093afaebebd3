import type { NewPeer } from "../../api/schemas.ts";

/** A configuration that wg-quick and the apps of WireGuard take as it is. It holds the peer's private key. Pure. */
export const wireguardConfig = (peer: NewPeer, privateKey: string): string =>
  `[Interface]
PrivateKey = ${privateKey}
Address = ${peer.address}/120
DNS = ${peer.resolver}

[Peer]
PublicKey = ${peer.networkKey}
AllowedIPs = ${peer.network}
Endpoint = ${peer.endpoint}
PersistentKeepalive = 15
`;

/** What is said of a configuration that was written to a file. Pure. */
export const writtenText = ({ name, address }: NewPeer, file: string): string =>
  [
    `Peer ${name} may join as ${address} (${name}._peer.internal)`,
    `Its configuration is in ${file}, with its private key, which is nowhere else: with this file anyone can join the network.`,
    `On a machine with wireguard-tools:   wg-quick up ./${file.split("/").at(-1) ?? file}`,
    `Shut it out again:   perch wireguard remove ${name}`,
  ].join("\n");
