import { concernKey, type ConcernStep } from "../../../cluster/concern.ts";
import type { PeersTold } from "../../../cluster/ways.ts";
import type { NetworkRecord, PeerRecord } from "../../../model/records.ts";
import type { NetworkDue, NetworkView } from "../concern.ts";

export interface PeerStep extends ConcernStep {
  readonly concern: "peers";
  /** The device as a whole; the record of one peer. */
  readonly what: "open" | "change" | "close" | "admit" | "remove";
  readonly peer?: PeerRecord;
}

export interface PeerFacts {
  peers: readonly PeerRecord[];
  told: PeersTold;
  /** Every cluster was looked at, so that sessions can be ended. */
  clustersKnown: boolean;
}

const door = "the WireGuard door";
export const doorKey = concernKey("peers", door);
export const peerKey = (name: string): string => concernKey("peers", `peer ${name}`);

/** Undefined before they were looked at. */
export const peersIn = (view: NetworkView | undefined): PeerFacts | undefined =>
  view?.found.get("peers") as PeerFacts | undefined;

/** Those that may come in: one that is being removed may not. */
export const admitted = (peers: readonly PeerRecord[]): PeerRecord[] =>
  peers.filter(({ phase }) => phase !== "destroying");

type Seen = { network: Pick<NetworkRecord, "wireguard">; mode: NetworkView["mode"] };

/** Where each peer was heard last is no reason to touch the device. */
const textOf = (port: number, publicKey: string, peers: readonly { publicKey: string; address: string }[]): string =>
  JSON.stringify([port, publicKey, peers.map((peer) => `${peer.publicKey} ${peer.address}`).toSorted()]);

/**
 * First the device as the records say; then a peer that may come in is told so, and one that may not any more goes with
 * its sessions. Pure.
 */
export function forPeers({ network, mode }: Seen, { peers, told, clustersKnown }: PeerFacts): NetworkDue<PeerStep>[] {
  const due = (what: PeerStep["what"], thing: string, why: string, peer?: PeerRecord): NetworkDue<PeerStep> => ({
    step: { do: "concern", concern: "peers", what, thing, ...(peer === undefined ? {} : { peer }) },
    because: `${what} ${thing}: ${why}`,
  });
  const own = network.wireguard;
  const wanted = mode === "root" ? admitted(peers) : [];
  if (own === undefined || wanted.length === 0) {
    if (told.state === "unknown") return [{ ...due("close", door, "there is no peer"), quiet: true }];
    if (told.state !== "closed") return [due("close", door, "there is no peer any more")];
  } else {
    const at = `UDP port ${own.port}`;
    if (told.state === "unknown")
      return [{ ...due("open", door, `it is wanted on ${at}, for ${namesOf(wanted)}`), quiet: true }];
    if (told.state === "closed") return [due("open", door, `${namesOf(wanted)} may join, on ${at}`)];
    if (told.state === "lost") return [due("open", door, `its device is gone, and ${namesOf(wanted)} may join`)];
    if (textOf(told.port, told.publicKey, told.peers) !== textOf(own.port, own.publicKey, wanted))
      return [due("change", door, `${namesOf(wanted)} may join`)];
  }
  return peers.flatMap((peer): NetworkDue<PeerStep>[] => {
    const thing = `peer ${peer.name}`;
    if (peer.phase === "creating") return [due("admit", thing, "the WireGuard door knows it", peer)];
    if (peer.phase !== "destroying" || !clustersKnown) return [];
    return [due("remove", thing, "it is shut out, and its sessions are ended", peer)];
  });
}

const namesOf = (peers: readonly PeerRecord[]): string =>
  `${peers.length === 1 ? "peer" : "peers"} ${peers.map(({ name }) => name).join(", ")}`;
