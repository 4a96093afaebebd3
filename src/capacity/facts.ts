/**
 * What runs out, told while there is time to do something about it. Facts come from elsewhere: the machine's from
 * `host/`, each server's from the look of its cluster's loop. `cluster-readings.ts` and `machine-readings.ts` say how
 * much of each thing is used and what helps, `thresholds.ts` from where on that is a warning, `follow.ts` what is
 * said when it begins and when it is over. All pure. The room knows nothing of records, loops or the API.
 */
import type { DiskRoom, Files, MemoryRoom } from "../host/system/machine.ts";
import type { Usage } from "../postgres/sql/probe.ts";

export type What =
  | "disk"
  | "inodes"
  | "connections"
  | "kept-wal"
  | "idle-slot"
  | "slots"
  | "memory"
  | "promised-memory"
  | "perchd-memory"
  | "descriptors"
  | "wraparound";

export interface ServerFacts {
  machine: string;
  leads: boolean;
  usage: Usage;
}

export interface ClusterFacts {
  name: string;
  /** Those that answer. */
  servers: readonly ServerFacts[];
  /** Slot → the member it is for, and whether that one is wanted stopped. */
  owners: ReadonlyMap<string, { machine: string; stopped: boolean }>;
}

export interface DiskFacts extends DiskRoom {
  /** "Perch's home", "PostgreSQL's data", "the WAL of 5f3a". */
  holds: readonly string[];
}

export interface Facts {
  clusters: readonly ClusterFacts[];
  disks: readonly DiskFacts[];
  /** Undefined where the system does not tell. */
  memory: MemoryRoom | undefined;
  /** Open files of the whole machine. */
  files: Files | undefined;
  daemon: { pid: number; residentBytes: number; descriptors: Files | undefined };
}

/** How much of a thing is used: whether that is much, the thresholds say. */
export interface Reading {
  what: What;
  /** The cluster, or "network". */
  subject: string;
  /** Which of them, where there may be several: a path, a machine, a slot. */
  thing: string;
  used: number;
  limit: number;
  /** In numbers, and the command that fixes it. */
  sentence: string;
  next: string;
}

/**
 * What does not run out, and is not as it should be: something the kernel holds, a process that does not answer,
 * something of the network that cannot be set, a server that runs as an older Perch ran it.
 */
export type Broken = "kernel" | "process" | "network" | "server-user";

export interface Warning extends Omit<Reading, "what"> {
  what: What | Broken;
  /** warn: it will run out. fail: it has. */
  level: "warn" | "fail";
}
