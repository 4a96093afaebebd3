import { z } from "zod";

/** Values that several shapes have. */

export const time = z.iso.datetime().meta({ example: "2026-11-24T06:30:00.000Z" });

export const memberRole = z.enum(["leader", "replica"]);

/** What a member is doing now, as observed. */
export const memberState = z.enum(["creating", "starting", "started", "streaming", "paused", "stopping", "stopped", "failed", "destroying"]);

/** PostgreSQL's user, which nothing that is started inside may become; null where all is one user. */
export const barred = z.object({ uid: z.int(), gid: z.int() }).nullable();
