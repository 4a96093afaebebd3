import { z } from "zod";

/** Values that several shapes have. */

export const time = z.iso.datetime().meta({ example: "2026-11-24T06:30:00.000Z" });

export const memberRole = z.enum(["leader", "replica"]);

/** What a member is doing now, as observed. */
export const memberState = z.enum([
  "creating",
  "starting",
  "started",
  "streaming",
  "paused",
  "stopping",
  "stopped",
  "failed",
  "destroying",
]);

const owner = z.object({ uid: z.int(), gid: z.int() });

/**
 * PostgreSQL's user, which nothing that is started inside may become, and the one of an older Perch's servers while any
 * runs; null where all is one user.
 */
export const barred = owner.extend({ former: owner.optional() }).nullable();
