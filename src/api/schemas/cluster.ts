import { z } from "zod";
import { barred, memberRole, memberState, time } from "./values.ts";

/** Clusters: their members, poolers, databases, users, settings and attachments. */

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
  /** `<name>.internal`, or `127.0.0.1` in portable mode. */
  host: z.string(),
  /** The port that leads to the leader. */
  port: z.int(),
  /** PgBouncer on that port of every member. */
  pool: z
    .object({
      mode: z.enum(["transaction", "session"]),
      preparedStatements: z.boolean(),
      size: z.int(),
      port: z.int(),
      note: z.string().nullable(),
    })
    .nullable(),
  /** on: an acknowledged commit is on a replica, too. waiting: it was asked for, and no replica can. */
  synchronous: z.enum(["off", "on", "waiting"]),
  members: z.array(member),
  attachments: z.array(
    z.object({
      app: z.string(),
      database: z.string(),
      user: z.string(),
      variable: z.string(),
      connectionLimit: z.int().nullable(),
    }),
  ),
});

/** Clients, those of them that wait, and connections to PostgreSQL, just now. */
const poolerCounts = z.object({ clients: z.int(), waiting: z.int(), servers: z.int() });

/** PgBouncer before a cluster. Nulls where it is off. */
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
    z.object({
      id: z.string(),
      state: z.enum(["started", "paused", "stopped"]),
      counts: poolerCounts.nullable(),
      note: z.string().optional(),
    }),
  ),
});

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
  /** How many connections each login of the role may have; null: any number. */
  connectionLimit: z.int().nullable(),
  /** The value of the secret with its password masked; where the attachment was made just now, with it. */
  url: z.string(),
  /** False where it leads through a pooler whose clients may prepare no statements. */
  preparedStatements: z.boolean(),
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

export const limited = z.object({ connectionLimit: z.int() });

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

export const settingsChange = z.object({
  changed: z.array(z.string()),
  restartNeeded: z.array(z.string()),
  /** Why there is no leader that has them; absent where there is. */
  leaderless: z.string().optional(),
});

/**
 * From which directory a cluster's servers are started, of which version, and which of them run with another one until
 * they are restarted.
 */
export const binariesChange = z.object({
  directory: z.string(),
  version: z.string(),
  restartNeeded: z.array(z.string()),
});

/** How to reach a cluster with a client such as psql: run argv before the program, with env added. */
export const session = z.object({
  enter: z.array(z.string()),
  barred,
  env: z.record(z.string(), z.string()),
  host: z.string(),
  port: z.int(),
});

export type Setting = z.infer<typeof setting>;
export type Rotated = z.infer<typeof rotated>;
export type Cluster = z.infer<typeof cluster>;
export type PoolStatus = z.infer<typeof pool>;
export type Member = z.infer<typeof member>;
export type Attachment = z.infer<typeof attachment>;
