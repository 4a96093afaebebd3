import { z } from "zod";

/** Answers that belong to no noun. */

export const answer = z.object({
  name: z.string(),
  type: z.string(),
  status: z.string(),
  server: z.string(),
  milliseconds: z.number(),
  answers: z.array(z.object({ name: z.string(), type: z.string(), ttl: z.int(), data: z.string() })),
});

export const errorBody = z.object({ code: z.string(), message: z.string(), next: z.string() });

export const none = z.object({});
