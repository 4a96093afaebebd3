/**
 * Ways into and out of the network, as the loops and the API need them. Who goes them (a namespace, WireGuard, the
 * ingress, the name server) is known to the daemon alone, which hands them over. Types only.
 */

import type { Socket } from "node:net";
import type { PerchError } from "../errors/error.ts";
import type { MachineRecord } from "../model/records.ts";
import type { HostAccessState } from "../network/host-access.ts";

/** The host's own way into the network. */
export interface HostAccessWay {
  /** Twice is the same as once. Rejects with `host_access_failed`; nothing is half made then. */
  set(on: boolean): Promise<void>;
  /** As this perchd knows it; `left`: one before it made what is there. */
  look(): "open" | "left" | "closed";
  state(): Promise<HostAccessState>;
}

/** The public ingresses of clusters, as their processes do. */
export interface IngressWay {
  /** As it is known without asking; `left`: one before this perchd opened it, and nothing was said to it yet. */
  look(app: string): "open" | "left" | "closed";
  /** As soon as what was set last is done, or cannot be for now. */
  state(app: string): Promise<IngressState>;
  /** Whether one could listen there. Rejects with `listen_refused`. */
  tryListen(listen: string): Promise<void>;
}

export type IngressState =
  | {
      state: "open";
      open: number;
      /** Since it was opened. */
      admitted: number;
      refused: number;
      /** Sources that are shut out, by their address in the network, and until when (RFC 3339). */
      shut: { address: string; until: string }[];
    }
  | { state: "closed"; error: PerchError };

/** The way out of the network. */
export interface OutwardWay {
  /** Opens it where it is not. Gives why it is not open, in a sentence, once. Never rejects. */
  open(): Promise<string | undefined>;
}

/** A connection into the network, from outside of it. */
export interface Dial {
  /** A name of the network, an address or `localhost`. */
  host: string;
  port: number;
  /** The resolver to ask for the name; absent where `host` is none. */
  server?: string;
}

export interface DialWay {
  /** The addresses that would be dialled. Rejects with `target_unknown` or `target_unreachable`. */
  look(to: Dial): Promise<string[]>;
  /** Dials; `take` then joins the caller's connection to it. Rejects as `look` does. */
  dial(to: Dial): Promise<{ take(client: Socket): void; drop(): void }>;
}

/** How a command becomes part of the network, and what that leaves. */
export interface RunWay {
  /** argv to put before it; its files are made first. Without a machine: a command of no app, in that region. */
  enter(region: string, machine: Pick<MachineRecord, "id" | "address"> | undefined): Promise<string[]>;
  /** Machines that have files there. */
  present(): Promise<string[]>;
  sweep(machines: readonly string[]): Promise<void>;
}

/** WireGuard, as its peers enter. */
export interface PeersWay {
  /** Brings the device to that; undefined: there is none. Rejects when that cannot be. */
  set(wish: PeersWish | undefined): Promise<void>;
  /** What this perchd brought it to. */
  told(): PeersTold;
  /** What is known of peers that were heard, by their keys. */
  heard(): Promise<Map<string, Heard>>;
}

export interface PeersWish {
  /** Where it listens on the host, UDP. */
  port: number;
  privateKey: string;
  publicKey: string;
  peers: readonly { publicKey: string; address: string; endpoint?: string }[];
}

export type PeersTold =
  /** Nothing, or the last attempt failed: whatever is there, may be. */
  | { state: "unknown" }
  | { state: "closed" }
  /** What it was brought to has died, or somebody removed it. */
  | { state: "lost" }
  | ({ state: "open" } & Omit<PeersWish, "privateKey">);

export interface Heard {
  /** Where its packets come from. */
  endpoint: string;
  /** Milliseconds since the epoch. */
  handshake: number;
  received: number;
  sent: number;
}
