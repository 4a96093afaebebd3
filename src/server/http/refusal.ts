import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { maxBodyBytes } from "../../api/route.ts";
import { within } from "../../base/deadline.ts";
import type { Log } from "../../base/log.ts";
import { fail, type PerchError, toPerchError } from "../../errors/error.ts";

/** How a request that is refused or fails is answered. */

/** What Fastify itself refuses, in our words. */
export function fromFastify(error: unknown): PerchError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return fail("request_too_large", { limit: maxBodyBytes });
  if (typeof code === "string" && code.startsWith("FST_ERR_CTP"))
    return fail("request_invalid", { why: "the body is not JSON" }, error);
  if (error instanceof SyntaxError) return fail("request_invalid", { why: "the body is not JSON" }, error);
  if (code === "ECONNRESET") return fail("request_invalid", { why: "the body did not come whole" }, error);
  return toPerchError(error);
}

/** Whether there is a body of which something is still to come. */
export const isUnread = ({ raw, headers }: FastifyRequest): boolean =>
  !raw.complete &&
  !raw.destroyed &&
  (headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0);

/**
 * A caller who is still writing when the connection closes gets EPIPE in place of the answer: the rest is read, for a
 * moment, up to a limit, and dropped.
 */
export function readOn({ raw }: FastifyRequest): Promise<unknown> {
  let read = 0;
  return within(
    readOnMs,
    new Promise<void>((resolve) => {
      for (const event of ["end", "close", "error"]) raw.once(event, () => resolve());
      raw.on("data", ({ length }: Buffer) => {
        read += length;
        if (read > readOnBytes) raw.pause();
        if (read > readOnBytes) resolve();
      });
      raw.resume();
    }),
  );
}

const readOnMs = 2_000;
const readOnBytes = 4_194_304;

export function sendError(reply: FastifyReply, error: PerchError, log: Log): void {
  void reply.code(logged(error, log).entry.status).send({ error: error.toBody() });
}

export function logged(error: PerchError, log: Log): PerchError {
  if (error.entry.kind === "system") log.error({ err: error, code: error.code }, "a request failed");
  return error;
}

/**
 * An answer where there is no request that could be answered: on the bare connection, which it ends. Nobody else reads
 * that connection: without reading on, its end would never be seen.
 */
export function refuse(client: Duplex, error: PerchError): void {
  const body = JSON.stringify({ error: error.toBody() });
  const { status } = error.entry;
  const late = setTimeout(() => client.destroy(), readOnMs).unref();
  client.once("close", () => clearTimeout(late));
  client.resume();
  client.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** What Node finds no request in. */
export function refuseBytes(error: NodeJS.ErrnoException, client: Duplex): void {
  if (client.writable) {
    const why =
      error.code === "HPE_HEADER_OVERFLOW"
        ? "its head is too long"
        : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
          ? "it did not come in time"
          : "it is no HTTP";
    refuse(client, fail("request_invalid", { why }, error));
  }
  client.destroy();
}
