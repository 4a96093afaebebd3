import { z } from "zod";
import { scopes } from "../route.ts";
import { time } from "./values.ts";

/** Ways in from outside: public doors, WireGuard, the host, proxies, the API of other hosts. */

const count = z.int().min(1).max(100_000);

export const doorLimits = z.object({
  /** Connections open at once: of all, and of one source. */
  total: count,
  perSource: count,
  /** New ones a second of one source, after the first `perSource`. */
  perSecond: count,
  /** So many wrong passwords within so many seconds shut a source out for so many. */
  failures: count,
  failuresWithin: count,
  shutFor: count,
});

export const exposure = z.object({
  cluster: z.string(),
  hostname: z.string(),
  listen: z.string(),
  replicaListen: z.string().nullable(),
  /** CIDRs that may come; none: everyone. */
  allow: z.array(z.string()),
  allowSuperuser: z.boolean(),
  /** own: of the network's authority, see `perch certs ca`. given: of these files. */
  certificate: z.object({
    from: z.enum(["own", "given"]),
    file: z.string().nullable(),
    expires: time.nullable(),
    note: z.string().nullable(),
  }),
  limits: doorLimits,
  state: z.enum(["open", "closed"]),
  /** Why it is closed. */
  why: z.string().nullable(),
  /** Open now; let in and refused since the door was opened. */
  connections: z.int(),
  admitted: z.int(),
  refused: z.int(),
  /** Sources that gave too many wrong passwords. */
  shut: z.array(z.object({ source: z.string(), until: time })),
});

/** Who may join by WireGuard. */
export const peer = z.object({
  name: z.string(),
  region: z.string().nullable(),
  address: z.string(),
  publicKey: z.string(),
  createdAt: time,
  /** Where its last packet came from, and when it last shook hands; null: not since the door was opened. */
  from: z.string().nullable(),
  handshake: time.nullable(),
  /** Bytes, as this end counts them. */
  received: z.int(),
  sent: z.int(),
});

/** All that a peer must know, but for its private key, which it has already. */
export const newPeer = peer.omit({ from: true, handshake: true, received: true, sent: true }).extend({
  network: z.string(),
  resolver: z.string(),
  endpoint: z.string(),
  networkKey: z.string(),
});

/** Whether the host may reach the network. */
export const hostAccess = z.object({
  on: z.boolean(),
  interface: z.string(),
  address: z.string(),
  resolver: z.string(),
  /** Whether the host's resolver knows the names; if not, what to add to it. */
  names: z.boolean(),
  lines: z.array(z.string()),
});

/** Where a proxied connection leads. */
export const proxied = z.object({ host: z.string(), port: z.int(), addresses: z.array(z.string()) });

/** The API as other hosts reach it. */
export const remote = z.object({
  listen: z.string().nullable(),
  hostnames: z.array(z.string()),
  /** Asked for and listening. */
  open: z.boolean(),
  /** Why it is not, when it was asked for. */
  note: z.string().optional(),
  /** SHA-256 of the authority's certificate, as it stands in every token. */
  fingerprint: z.string(),
});

export const token = z.object({
  name: z.string(),
  scope: z.enum(scopes),
  /** The only app it may be used for; null: any. */
  app: z.string().nullable(),
  createdAt: time,
  expiresAt: time.nullable(),
  /** To the minute. */
  lastUsedAt: time.nullable(),
});

export type Exposure = z.infer<typeof exposure>;
export type HostAccess = z.infer<typeof hostAccess>;
export type Peer = z.infer<typeof peer>;
export type NewPeer = z.infer<typeof newPeer>;
