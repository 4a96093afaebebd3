/**
 * The records of model/records.ts as schemas: what is read from the store is checked before anyone relies on it. A
 * field that is not here is one of a newer Perch, and refused: to read it and write the record back would lose it.
 */
import { z } from "zod";
import type {
  AppRecord,
  AttachmentRecord,
  ClusterRecord,
  EventRecord,
  FormerLoginRecord,
  KeyRecord,
  MachineRecord,
  NetworkRecord,
  PeerRecord,
  RemoteRecord,
  RotationRecord,
  SecretRecord,
  TokenRecord,
} from "../model/records.ts";

const time = z.iso.datetime();
const phase = z.enum(["creating", "ready", "destroying"]);
const port = z.int().min(1).max(65_535);

const signer = z.strictObject({ certificate: z.string(), sealed: z.base64() });

const network = z.strictObject({
  name: z.string(),
  prefix: z.string(),
  nextMachine: z.int().nonnegative(),
  wireguard: z
    .strictObject({ publicKey: z.base64(), sealed: z.base64(), port, nextPeer: z.int().positive() })
    .exactOptional(),
  authority: z
    .strictObject({
      root: signer,
      below: signer,
      former: z.array(z.strictObject({ certificate: z.string(), cross: z.string() })),
    })
    .exactOptional(),
  hostAccess: z.literal(true).exactOptional(),
  hostAccessPhase: z.literal("creating").exactOptional(),
  createdAt: time,
});

const peer = z.strictObject({
  name: z.string(),
  publicKey: z.base64(),
  address: z.string(),
  region: z.string().exactOptional(),
  endpoint: z.string().exactOptional(),
  phase: z.enum(["creating", "destroying"]).exactOptional(),
  createdAt: time,
});

const app = z.strictObject({
  name: z.string(),
  kind: z.enum(["app", "cluster"]),
  primaryRegion: z.string().exactOptional(),
  createdAt: time,
});

const limits = z.strictObject({
  total: z.int(),
  perSource: z.int(),
  perSecond: z.number(),
  failures: z.int(),
  failuresWithin: z.number(),
  shutFor: z.number(),
});

const exposed = z.strictObject({
  hostname: z.string(),
  listen: z.string(),
  replicaListen: z.string().exactOptional(),
  allow: z.array(z.string()),
  files: z.strictObject({ certificate: z.string(), key: z.string() }).exactOptional(),
  allowSuperuser: z.boolean(),
  superusers: z.array(z.string()).exactOptional(),
  limits,
  createdAt: time,
});
/** The one before is whole, and has none before it. */
const exposure = exposed.extend({ phase: z.literal("creating").exactOptional(), before: exposed.exactOptional() });

const identity = z.strictObject({ pid: z.int().positive(), startTime: z.string() });

const pool = z.strictObject({
  mode: z.enum(["transaction", "session"]),
  preparedStatements: z.literal(false).exactOptional(),
  size: z.int().positive(),
  address: z.string(),
});

const cluster = z.strictObject({
  app: z.string(),
  phase,
  major: z.int().positive(),
  binaries: z.string(),
  leader: z.string(),
  change: z
    .strictObject({
      kind: z.enum(["switchover", "failover"]),
      to: z.string(),
      because: z.string(),
      promote: z.literal(true).exactOptional(),
    })
    .exactOptional(),
  pool: pool.exactOptional(),
  poolBefore: z.strictObject({ pool: pool.exactOptional(), version: z.string() }).exactOptional(),
  synchronous: z.strictObject({ names: z.array(z.string()), holders: z.array(z.string()) }).exactOptional(),
  settings: z.record(z.string(), z.string()),
  settingsBefore: z
    .strictObject({
      settings: z.record(z.string(), z.string()),
      refused: z.strictObject({ machine: z.string(), why: z.string() }).exactOptional(),
    })
    .exactOptional(),
  restarting: z
    .strictObject({
      done: z.array(z.string()),
      floors: z.record(z.string(), z.number()),
      processes: z.record(z.string(), identity).exactOptional(),
      leader: z.string().exactOptional(),
      settings: z.record(z.string(), z.string()).exactOptional(),
      inPlace: z.string().exactOptional(),
      refused: z.string().exactOptional(),
    })
    .exactOptional(),
  exposure: exposure.exactOptional(),
  portablePort: port.exactOptional(),
  createdAt: time,
});

const machine = z.strictObject({
  id: z.string(),
  app: z.string(),
  kind: z.enum(["postgres", "run"]),
  region: z.string(),
  number: z.int().positive(),
  address: z.string(),
  phase,
  wanted: z.enum(["started", "stopped"]),
  process: identity.exactOptional(),
  portablePort: port.exactOptional(),
  createdAt: time,
});

const key = z.strictObject({ id: z.string(), stale: z.literal(true).exactOptional() });

const secret = z.strictObject({
  app: z.string(),
  name: z.string(),
  sealed: z.base64(),
  digest: z.string(),
  updatedAt: time,
});

const attachment = z.strictObject({
  app: z.string(),
  cluster: z.string(),
  database: z.string(),
  user: z.string(),
  variable: z.string(),
  superuser: z.boolean(),
  scheme: z.enum(["postgres", "postgresql"]),
  pooled: z.literal(true).exactOptional(),
  login: z.string().exactOptional(),
  phase,
  made: z.strictObject({ database: z.boolean(), user: z.boolean() }),
  connectionLimit: z.int().exactOptional(),
  detaching: z.literal(true).exactOptional(),
  createdAt: time,
});

const rotation = z.strictObject({
  cluster: z.string(),
  user: z.string(),
  sealed: z.base64(),
  login: z.string().exactOptional(),
  until: time.exactOptional(),
  sooner: z.literal(true).exactOptional(),
  by: z.string().exactOptional(),
  createdAt: time,
});

const formerLogin = z.strictObject({
  cluster: z.string(),
  login: z.string(),
  user: z.string(),
  until: time,
  runs: z.array(z.string()).exactOptional(),
  createdAt: time,
});

const remote = z.strictObject({ listen: z.string(), hostnames: z.array(z.string()) });

const token = z.strictObject({
  name: z.string(),
  scope: z.enum(["read", "deploy", "admin"]),
  app: z.string().exactOptional(),
  hash: z.string().length(64),
  createdAt: time,
  expiresAt: time.exactOptional(),
  lastUsedAt: time.exactOptional(),
});

const event = z.strictObject({
  id: z.int().positive(),
  at: time,
  subject: z.string(),
  sentence: z.string(),
  actor: z.string().exactOptional(),
});

/** The annotation holds each schema to its interface. */
export const shapes: {
  network: z.ZodType<NetworkRecord>;
  app: z.ZodType<AppRecord>;
  cluster: z.ZodType<ClusterRecord>;
  machine: z.ZodType<MachineRecord>;
  key: z.ZodType<KeyRecord>;
  secret: z.ZodType<SecretRecord>;
  attachment: z.ZodType<AttachmentRecord>;
  rotation: z.ZodType<RotationRecord>;
  formerLogin: z.ZodType<FormerLoginRecord>;
  peer: z.ZodType<PeerRecord>;
  remote: z.ZodType<RemoteRecord>;
  token: z.ZodType<TokenRecord>;
  event: z.ZodType<EventRecord>;
} = { network, app, cluster, machine, key, secret, attachment, rotation, formerLogin, peer, remote, token, event };
