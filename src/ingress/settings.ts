/**
 * A public door: a process that listens on the host for one cluster and leads each connection to PostgreSQL in the
 * private network, byte for byte, so that TLS is between the client and PostgreSQL. The room knows connections, sources
 * and limits; it may not know clusters, passwords or what is said on a connection.
 *
 * Start here with what a door is told, then `relay.ts` (the way of one connection),
 * `main.ts` (the process), `control.ts` and `start.ts` (the door as perchd holds it), `ingresses.ts` (all doors, kept
 * open).
 */
import type { DoorLimits } from "../model/exposure.ts";

/** What a door may be told anew while connections go on. */
export interface Wish {
  /** Where its first port leads: the leader. The first that answers is taken. */
  leader: readonly Target[];
  /** Where its second one leads: replicas. Each source keeps to one of them as long as there are no others. */
  replicas: readonly Target[];
  /** CIDRs; none: everyone. */
  allow: readonly string[];
  limits: DoorLimits;
}

/**
 * Raised when a change of this program must reach the doors that are open, at the price of every connection through
 * them. Else a perchd of another version goes on with a door as it runs: what is led through it lives as long as its
 * process.
 */
export const generation = 1;

export interface Target {
  host: string;
  port: number;
}

/**
 * The first message to a door's process. Its listening sockets follow, one a message, made in the host's own namespace.
 */
export interface Settings {
  control: string;
  /** Three groups, "fdaa:3f9a:12bc"; absent in portable mode. */
  prefix?: string;
  /** Where it listens, as it was asked for; a door that listens elsewhere is another one. */
  listens: readonly string[];
  wish: Wish;
}

export type Way = "leader" | "replicas";

/** How a door does, as it answers to `ping`. */
export interface Pong {
  pid: number;
  generation: number;
  listens: string[];
  open: number;
  /** Since it was opened. */
  admitted: number;
  refused: number;
  /** Sources that are shut out, by their address in the network, and until when (RFC 3339). */
  shut: { address: string; until: string }[];
}
