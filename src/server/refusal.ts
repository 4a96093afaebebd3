import type { FastifyReply, FastifyRequest } from "fastify";
import { maxBodyBytes } from "../api/route.ts";
import { within } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { fail, type PerchError, toPerchError } from "../errors/error.ts";

/** How a request that is refused or fails is answered. */

/** What Fastify itself refuses, in our words. */
export function fromFastify(error: unknown): PerchError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return fail("request_too_large", { limit: maxBodyBytes });
  if (typeof code === "string" && code.startsWith("FST_ERR_CTP")) return fail("request_invalid", { why: "the body is not JSON" }, error);
  if (error instanceof SyntaxError) return fail("request_invalid", { why: "the body is not JSON" }, error);
  return toPerchError(error);
}

/** A caller who is still writing when the connection closes gets EPIPE in place of the answer: the rest is read, for a moment, and dropped. */
export function readOn({ raw }: FastifyRequest): Promise<unknown> {
  raw.resume();
  return within(
    readOnMs,
    new Promise<void>((resolve) => {
      for (const event of ["end", "close", "error"]) raw.once(event, () => resolve());
    }),
  );
}

const readOnMs = 2_000;

export function sendError(reply: FastifyReply, error: PerchError, log: Log): void {
  void reply.code(logged(error, log).entry.status).send({ error: error.toBody() });
}

export function logged(error: PerchError, log: Log): PerchError {
  if (error.entry.kind === "system") log.error({ err: error, code: error.code }, "a request failed");
  return error;
}
