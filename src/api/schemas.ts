/**
 * The shapes that cross the API, one schema a noun. The daemon checks every request against them and the OpenAPI document is written from
 * them; the CLI's types are inferred from them. Times are RFC 3339 in UTC, sizes bytes, lags bytes of WAL.
 */
import { z } from "zod";
import { scopes } from "./route.ts";

const time = z.iso.datetime().meta({ example: "2026-11-24T06:30:00.000Z" });

export const memberRole = z.enum(["leader", "replica"]);
/** What a member is doing now, as observed. */
export const memberState = z.enum(["creating", "starting", "started", "streaming", "stopping", "stopped", "failed", "destroying"]);

export const member = z.object({
  id: z.string(),
  region: z.string(),
  role: memberRole,
  address: z.string(),
  port: z.int(),
  state: memberState,
  /** The postmaster's; null while it does not run. */
  pid: z.int().nullable(),
  /** Bytes of WAL the leader wrote that this member has not replayed; 0 for the leader, null when unknown. */
  lagBytes: z.int().nullable(),
  /** Why the state is what it is and what to do, when it is not the wanted one. */
  note: z.string().optional(),
});

export const cluster = z.object({
  name: z.string(),
  version: z.string(),
  primaryRegion: z.string(),
  phase: z.enum(["creating", "ready", "destroying"]),
  /** `<name>.internal`, or `localhost` in portable mode. */
  host: z.string(),
  /** The port that leads to the leader. */
  port: z.int(),
  /** PgBouncer on that port of every member. */
  pool: z.object({ mode: z.enum(["transaction", "session"]), size: z.int(), port: z.int(), note: z.string().nullable() }).nullable(),
  /** on: an acknowledged commit is on a replica, too. waiting: it was asked for, and no replica can. */
  synchronous: z.enum(["off", "on", "waiting"]),
  members: z.array(member),
  attachments: z.array(z.object({ app: z.string(), database: z.string(), user: z.string(), variable: z.string() })),
});

/** What runs out before it has. */
export const warning = z.object({
  what: z.enum([
    "disk",
    "inodes",
    "connections",
    "kept-wal",
    "idle-slot",
    "slots",
    "memory",
    "promised-memory",
    "perchd-memory",
    "descriptors",
    "wraparound",
  ]),
  /** The cluster, or "network". */
  subject: z.string(),
  /** Which of them: a path, a machine, a slot, a database. */
  thing: z.string(),
  /** warn: it will run out. fail: it has. */
  level: z.enum(["warn", "fail"]),
  /** Bytes, or how many. */
  used: z.number(),
  limit: z.number(),
  sentence: z.string(),
  /** The command that mends it. */
  next: z.string(),
});

export const status = z.object({
  network: z.object({ name: z.string(), prefix: z.string(), mode: z.enum(["root", "user", "portable"]), resolver: z.string().nullable() }),
  daemon: z.object({
    pid: z.int(),
    version: z.string(),
    since: time,
    home: z.string(),
    /** Resident. */
    memoryBytes: z.int(),
    /** By how many milliseconds perchd was late within the last one to two minutes. */
    loopDelay: z.object({ p99: z.number(), max: z.number() }),
  }),
  warnings: z.array(warning),
  clusters: z.array(cluster),
  apps: z.array(z.object({ name: z.string(), runs: z.int() })),
});

/** PgBouncer before a cluster. Nulls where it is off. */
/** Clients, those of them that wait, and connections to PostgreSQL, just now. */
const poolerCounts = z.object({ clients: z.int(), waiting: z.int(), servers: z.int() });

export const pool = z.object({
  cluster: z.string(),
  on: z.boolean(),
  mode: z.enum(["transaction", "session"]).nullable(),
  size: z.int().nullable(),
  version: z.string().nullable(),
  /** Whether statements that a driver prepares work. */
  preparedStatements: z.boolean().nullable(),
  /** "leader", for 6432 of any member; a machine's id, for its own 6433. */
  poolers: z.array(
    z.object({ id: z.string(), state: z.enum(["started", "paused", "stopped"]), counts: poolerCounts.nullable(), note: z.string().optional() }),
  ),
});

export const app = z.object({
  name: z.string(),
  kind: z.enum(["app", "cluster"]),
  primaryRegion: z.string().nullable(),
  machines: z.int(),
  createdAt: time,
});

export const machine = z.object({
  id: z.string(),
  app: z.string(),
  kind: z.enum(["postgres", "run"]),
  region: z.string(),
  address: z.string(),
  state: memberState,
  role: memberRole.nullable(),
  createdAt: time,
});

export const secret = z.object({ name: z.string(), digest: z.string(), updatedAt: time });

export const created = z.object({
  cluster,
  username: z.string(),
  /** Shown this once; it can be changed with `perch postgres users rotate postgres`. */
  password: z.string(),
  hostname: z.string(),
  port: z.int(),
  connectionString: z.string(),
});

export const attachment = z.object({
  app: z.string(),
  cluster: z.string(),
  database: z.string(),
  user: z.string(),
  variable: z.string(),
  superuser: z.boolean(),
  /** The value of the secret with its password masked; where the attachment was made just now, with it. */
  url: z.string(),
  /** False when it was there already (--if-not-attached). */
  new: z.boolean(),
});

export const database = z.object({ name: z.string(), owner: z.string(), bytes: z.int(), users: z.array(z.string()) });
export const user = z.object({
  name: z.string(),
  superuser: z.boolean(),
  databases: z.array(z.string()),
  /** The role whose login it is; null: it works as itself. */
  worksAs: z.string().nullable(),
  /** Until when its password works; null: for ever. */
  until: time.nullable(),
});
export const credentials = z.object({ user: z.string(), password: z.string() });
export const rotated = z.object({
  user: z.string(),
  /** As whom the new password logs in: the user, or a role that works as it. */
  login: z.string(),
  /** Those whose URL changed with it. */
  apps: z.array(z.string()),
  /** What works a while longer; null: nothing. sooner: it ends when all that was started with it has ended. */
  former: z.object({ login: z.string(), until: time, sooner: z.boolean() }).nullable(),
});

export const setting = z.object({
  name: z.string(),
  value: z.string(),
  unit: z.string().nullable(),
  /** default: PostgreSQL's; perch: chosen by Perch; user: by `config update`. */
  source: z.enum(["default", "perch", "user"]),
  /** Whether a change takes effect at the next restart only. */
  restart: z.boolean(),
  /** Changed, and waiting for that restart. */
  pending: z.boolean(),
  description: z.string(),
});

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

export const settingsChange = z.object({ changed: z.array(z.string()), restartNeeded: z.array(z.string()) });

/** How to reach a cluster with a client such as psql: run argv before the program, with env added. */
export const session = z.object({ enter: z.array(z.string()), env: z.record(z.string(), z.string()), host: z.string(), port: z.int() });

/** Why an app cannot connect: a line for each place a packet passes, as far as it can be looked at. */
export const diagnosis = z.object({
  app: z.string(),
  variable: z.string(),
  /** No line fails. */
  ok: z.boolean(),
  lines: z.array(
    z.object({
      check: z.enum([
        "daemon",
        "namespace",
        "url",
        "name",
        "address",
        "port",
        "tls",
        "password",
        "database",
        "role",
        "leader",
        "connections",
        "disk",
        "lag",
        ...warning.shape.what.options.filter((what) => what !== "disk" && what !== "connections"),
      ]),
      /** warn: it works, yet somebody should look. */
      state: z.enum(["ok", "warn", "fail"]),
      sentence: z.string(),
      /** The command that mends it. */
      next: z.string().optional(),
    }),
  ),
});

/** What `perch run` needs to become a machine of an app. */
export const run = z.object({
  machine: machine.nullable(),
  /** What the command lacks, in a sentence; said to the first that lacks it. */
  note: z.string().nullable(),
  /** argv to put before the command so that it enters the network; empty in portable mode. */
  enter: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  /** PGHOST and its kin, as DATABASE_URL has them, so that psql needs no argument. Anything the user says of them wins. */
  defaults: z.record(z.string(), z.string()),
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
  certificate: z.object({ from: z.enum(["own", "given"]), file: z.string().nullable(), expires: time.nullable(), note: z.string().nullable() }),
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

export const event = z.object({ id: z.int(), at: time, subject: z.string(), sentence: z.string() });
export const logLine = z.object({ at: z.string(), machine: z.string(), region: z.string(), level: z.string(), message: z.string() });
export const answer = z.object({
  name: z.string(),
  type: z.string(),
  status: z.string(),
  server: z.string(),
  milliseconds: z.number(),
  answers: z.array(z.object({ name: z.string(), type: z.string(), ttl: z.int(), data: z.string() })),
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

/** The API as other machines reach it. */
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

export const errorBody = z.object({ code: z.string(), message: z.string(), next: z.string() });
export const none = z.object({});

export type Warning = z.infer<typeof warning>;
export type Rotated = z.infer<typeof rotated>;
export type Status = z.infer<typeof status>;
export type Cluster = z.infer<typeof cluster>;
export type PoolStatus = z.infer<typeof pool>;
export type Member = z.infer<typeof member>;
export type Machine = z.infer<typeof machine>;
export type Attachment = z.infer<typeof attachment>;
export type Exposure = z.infer<typeof exposure>;
export type HostAccess = z.infer<typeof hostAccess>;
export type Peer = z.infer<typeof peer>;
export type NewPeer = z.infer<typeof newPeer>;
export type Diagnosis = z.infer<typeof diagnosis>;
