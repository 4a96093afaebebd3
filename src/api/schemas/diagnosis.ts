import { z } from "zod";
import { cluster } from "./cluster.ts";
import { time } from "./values.ts";

/** How all is, what runs out, and why an app cannot connect. */

/** What runs out before it has, and what of the network is broken. */
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
    // What the kernel holds for the network, the processes that it needs, and what of it cannot be set.
    "kernel",
    "process",
    "network",
    "server-user",
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
  /** The command that fixes it. */
  next: z.string(),
});

export const status = z.object({
  network: z.object({
    name: z.string(),
    prefix: z.string(),
    mode: z.enum(["root", "user", "portable"]),
    resolver: z.string().nullable(),
  }),
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
      /** The command that fixes it. */
      next: z.string().optional(),
    }),
  ),
});

export type Warning = z.infer<typeof warning>;
export type Status = z.infer<typeof status>;
export type Diagnosis = z.infer<typeof diagnosis>;
