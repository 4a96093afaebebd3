/**
 * What the store holds: the desired state, one record a noun. Everything observed (roles, lag, whether a process lives)
 * is looked up, never stored; the exceptions are the identities of processes, which a restarted perchd needs in order
 * to adopt them.
 */
import type { Exposure } from "./exposure.ts";

/**
 * All or nothing: a record being `creating` when perchd starts was left half made, and is undone; `destroying` is taken
 * up again.
 */
export type Phase = "creating" | "ready" | "destroying";

/** A process that is signalled only while pid and start time still agree (and, for PostgreSQL, the data directory). */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot from /proc/<pid>/stat field 22; where there is no /proc, the start date as ps prints it. */
  startTime: string;
}

export interface NetworkRecord {
  name: string;
  /** Three groups, "fdaa:3f9a:12bc". */
  prefix: string;
  /** The number the next machine gets; counts up only. */
  nextMachine: number;
  /** Its own end of WireGuard, once there was a peer. */
  wireguard?: WireGuardRecord;
  /** Who vouches for its servers; absent in a state of 0.1.0, where files hold it. */
  authority?: AuthorityRecord;
  /** Present: the host itself may reach the network. */
  hostAccess?: true;
  /** Present: it was just asked for, and is taken back where it cannot be had. */
  hostAccessPhase?: "creating";
  createdAt: string;
}

/** Certificates as PEM, keys sealed. */
export interface AuthorityRecord {
  /** What clients trust. */
  root: { certificate: string; sealed: string };
  /** Signs for the network's own names and addresses alone. */
  below: { certificate: string; sealed: string };
  /** The roots before, the newest first, each with its word for the present one. */
  former: { certificate: string; cross: string }[];
}

export interface WireGuardRecord {
  publicKey: string;
  /** The private key, sealed. */
  sealed: string;
  /** Where it listens on the host, UDP. Chosen when there is no peer yet. */
  port: number;
  /** The number the next peer gets; counts up only. */
  nextPeer: number;
}

/** A laptop or another host that may join by WireGuard. Its private key was never here. */
export interface PeerRecord {
  name: string;
  publicKey: string;
  address: string;
  /** As seen from where names are nearest first. */
  region?: string;
  /** Where it was last heard from: there it is called when the door is made anew. */
  endpoint?: string;
  /** Absent: it may come in. `destroying`: it is shut out, and goes when its sessions are ended. */
  phase?: "creating" | "destroying";
  createdAt: string;
}

export interface AppRecord {
  name: string;
  kind: "app" | "cluster";
  primaryRegion?: string;
  createdAt: string;
}

export interface ClusterRecord {
  app: string;
  phase: Phase;
  major: number;
  /** The directory with initdb, postgres and pg_ctl, as perchd sees it. */
  binaries: string;
  /** Id of the machine that leads. Written by the engine alone, once the cluster is made. */
  leader: string;
  change?: LeaderChange;
  pool?: Pool;
  /** Present: a pooler was asked for, and those there are are not as they should be yet. */
  poolBefore?: PoolBefore;
  synchronous?: Synchronous;
  /** Settings by `perch postgres config update`, as PostgreSQL takes them. */
  settings: Record<string, string>;
  /** Present: they were changed, and the leader has not been started with them yet. */
  settingsBefore?: SettingsBefore;
  /** Present: its members are being restarted, one after the other. */
  restarting?: Restarting;
  /** Its public door, while it was asked for. */
  exposure?: Exposure;
  /** The port on localhost of the relay to the leader in portable mode. */
  portablePort?: number;
  createdAt: string;
}

/** The settings of the last start, so that a change with which PostgreSQL does not start can be taken back. */
export interface SettingsBefore {
  settings: Record<string, string>;
  /** A member did not start with the new ones, and is started with these; `why` is what PostgreSQL said. */
  refused?: { machine: string; why: string };
}

/** A restart of all members, so that whoever takes over goes on with it. */
export interface Restarting {
  /** Members that a Perch before this one had restarted. */
  done: string[];
  /** What the leader had of max_connections and its like when it began. */
  floors: Record<string, number>;
  /** Absent: not begun. Whom it restarts, and what ran then: who runs as another process was restarted. */
  processes?: Record<string, ProcessIdentity>;
  /** Who led when it began. */
  leader?: string;
  /** With which they are started. Absent once those from before are the cluster's again. */
  settings?: Record<string, string>;
  /** Why the leader is restarted where it is; absent while another member may take over first. */
  inPlace?: string;
  /** The member that did not start with the settings, which were taken back. */
  refused?: string;
}

/** A change of who leads, written down before anything is touched, so that whoever takes over goes on with it. */
export interface LeaderChange {
  kind: "switchover" | "failover";
  to: string;
  because: string;
  /** The primary region moves to that member's. */
  promote?: true;
}

/** What is taken back to where a pooler that was asked for cannot be had. */
export interface PoolBefore {
  /** Absent: there was none. */
  pool?: Pool;
  /** Of the PgBouncer on the host when it was asked for: what runs another one is replaced. */
  version: string;
}

/** A pooler (PgBouncer) is wanted before the cluster. */
export interface Pool {
  mode: "transaction" | "session";
  /** False: in transaction mode, and it was said that no client prepares statements. */
  preparedStatements?: false;
  /** Connections to the server for each database and role. */
  size: number;
  /** The address of the one that leads to the leader. */
  address: string;
}

/** Present: a commit is acknowledged only when a replica has it, too. */
export interface Synchronous {
  /** The replicas the leader waits for, any one of them; none: it waits for nobody. */
  names: string[];
  /** One of these at least has every commit that was acknowledged; none: nobody but the leader is sure to. */
  holders: string[];
}

export interface MachineRecord {
  id: string;
  app: string;
  kind: "postgres" | "run";
  region: string;
  number: number;
  address: string;
  phase: Phase;
  wanted: "started" | "stopped";
  /** The postmaster, or the CLI that holds the run. */
  process?: ProcessIdentity;
  /** The member's own port on localhost in portable mode. */
  portablePort?: number;
  createdAt: string;
}

/** With which key everything is sealed. */
export interface KeyRecord {
  id: string;
  /** What an older key opens may still lie in the store's file. */
  stale?: true;
}

export interface SecretRecord {
  app: string;
  name: string;
  /** AES-256-GCM, base64: nonce, tag, ciphertext; bound to app and name. */
  sealed: string;
  /**
   * The first 16 hex digits of HMAC-SHA-256 of the value under the key: equal values of one name have equal digests,
   * nothing else shows.
   */
  digest: string;
  updatedAt: string;
}

export interface AttachmentRecord {
  app: string;
  cluster: string;
  database: string;
  user: string;
  variable: string;
  superuser: boolean;
  scheme: "postgres" | "postgresql";
  /** The URL leads through the pooler. */
  pooled?: true;
  /** As whom the URL logs in where a rotation has changed it; absent: as the user itself. */
  login?: string;
  phase: Phase;
  /** What this attachment made, and so may take away when it is undone. */
  made: { database: boolean; user: boolean };
  /**
   * How many connections each login of the role may have; -1: any number. Absent: made before there were limits, and
   * not given one yet.
   */
  connectionLimit?: number;
  /**
   * It was ready, and is being taken away because somebody asked for it: where that fails as a whole, it is ready
   * again.
   */
  detaching?: true;
  createdAt: string;
}

/**
 * A password that is being changed: kept until PostgreSQL and every secret have it, so that a perchd that takes over
 * half-way can go on.
 */
export interface RotationRecord {
  cluster: string;
  user: string;
  /** The new password, sealed for cluster and user. */
  sealed: string;
  /**
   * The login that gets it, so that the one in use keeps its own; absent where nobody is attached: the user's own
   * changes at once.
   */
  login?: string;
  /** Until when the one in use works. */
  until?: string;
  /** And sooner, when all that was started with it has ended. */
  sooner?: true;
  /** Who asked for it, as events name them. Absent in a state of 0.1.0. */
  by?: string;
  createdAt: string;
}

/** A login of an attached role from before a rotation. It works until its time, for what was started with it. */
export interface FormerLoginRecord {
  cluster: string;
  login: string;
  /** The role whose login it is. */
  user: string;
  until: string;
  /** The runs that may have it: when all have ended, it ends, too. Absent: its time alone counts. */
  runs?: string[];
  createdAt: string;
}

export interface EventRecord {
  /** Counts up by one. */
  id: number;
  /** RFC 3339, milliseconds. */
  at: string;
  /** The app, cluster or "network" the sentence is about. */
  subject: string;
  sentence: string;
  /**
   * Who asked for it: `uid 1000 (ann)`, `token ci`, or `perch` where Perch did it by itself. Absent in events of 0.1.0.
   */
  actor?: string;
}

/** The API for other hosts, as it is wanted. */
export interface RemoteRecord {
  /** ADDRESS:PORT */
  listen: string;
  hostnames: string[];
}

export interface TokenRecord {
  name: string;
  scope: "read" | "deploy" | "admin";
  /** The only app it may be used for. */
  app?: string;
  /** SHA-256 of its text, hex. The text is nowhere. */
  hash: string;
  createdAt: string;
  expiresAt?: string;
  lastUsedAt?: string;
}
