import { z } from "zod";
import { barred, memberRole, memberState, time } from "./values.ts";

/** Apps, their machines and secrets, and what is said of them. */

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

/** What `perch run` needs to become a machine of an app. */
export const run = z.object({
  machine: machine.nullable(),
  /** What the command lacks, in a sentence; said to the first that lacks it. */
  note: z.string().nullable(),
  /** argv to put before the command so that it enters the network; empty in portable mode. */
  enter: z.array(z.string()),
  barred,
  env: z.record(z.string(), z.string()),
  /**
   * PGHOST and its kin, as DATABASE_URL has them, so that psql needs no argument. Anything the user says of them wins.
   */
  defaults: z.record(z.string(), z.string()),
});

export const event = z.object({
  id: z.int(),
  at: time,
  subject: z.string(),
  sentence: z.string(),
  /**
   * Who asked for it: `uid 1000 (ann)` by the socket, `token ci` from elsewhere, `perch` where Perch did it by itself.
   * Absent in events of 0.1.0.
   */
  actor: z.string().optional(),
});

export const logLine = z.object({
  at: z.string(),
  machine: z.string(),
  region: z.string(),
  level: z.string(),
  message: z.string(),
});

export type Machine = z.infer<typeof machine>;
