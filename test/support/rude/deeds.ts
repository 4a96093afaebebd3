import type { ConnectionOptions } from "node:tls";

/**
 * What a rude client does, and what it says of it. It is a program of its own (`main.ts`), so that it can stand in a
 * namespace and its work is not the test's; tests and benches hold it by `rude.ts`.
 */
export interface To {
  host?: string;
  port?: number;
  /** Of a unix socket. */
  path?: string;
  localAddress?: string;
}

export type Tls = Pick<ConnectionOptions, "servername"> & { ca: string };

/** Milliseconds of those that were answered; the rest of `asked` was not. */
export interface Answered {
  asked: number;
  answered: number;
  p50: number;
  p99: number;
  max: number;
}

export interface Deeds {
  /**
   * Opens connections and holds them until `leave`. `say` (latin1) is sent on each, `drip` then one letter after the
   * other.
   */
  crowd(crowd: { to: To; tls?: Tls; count: number; atOnce: number; say?: string; dripMs?: number }): {
    connected: number;
    refused: number;
    ms: number;
  };
  /** `heard`: on how many of those that are open something came. */
  count(nothing: object): { open: number; closed: number; heard: number };
  leave(nothing: object): object;
  /** Sends datagrams as fast as it can. */
  datagrams(flood: { host: string; port: number; kind: Kind; sockets: number; ms: number }): { sent: number };
  /** Asks for a name every so often, once each, until `stop`; by TCP on a connection each. */
  names(asking: { host: string; port: number; name: string; everyMs: number; by: "udp" | "tcp" }): Answered;
  stop(asking: { by: "udp" | "tcp" }): object;
  /** Sends a head and then a body that goes on whatever is answered, until it is cut off. */
  body(body: { to: To; tls?: Tls; head: string; chunked: boolean; megabytes: number }): {
    sentMegabytes: number;
    answer: string;
    ms: number;
  };
  /**
   * Each on a connection of its own, which is then ended, broken off, or held. Gives how long the last of them was
   * borne.
   */
  pieces(pieces: { to: To; from: readonly string[]; base64: readonly string[]; after: "end" | "reset" | "hold" }): {
    closed: number;
    longestMs: number;
  };
  /** One request after the other on so many connections; `fresh`: each on one of its own. */
  requests(flood: {
    to: To;
    tls?: Tls;
    path: string;
    headers: Record<string, string>;
    connections: number;
    fresh: boolean;
    ms: number;
  }): Requests;
}

export type Kind = "names" | "big" | "malformed";

export interface Requests extends Answered {
  /** Status → how many. */
  statuses: Record<string, number>;
}

export type Deed = keyof Deeds;
export type Doers = { [D in Deed]: (args: Parameters<Deeds[D]>[0]) => Promise<ReturnType<Deeds[D]>> };

export function summary(milliseconds: readonly number[], asked: number): Answered {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Number((sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN).toFixed(2));
  return { asked, answered: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
