import http from "node:http";
import { fail, PerchError } from "../errors/error.ts";

/** One request over the daemon's unix socket. One connection each: a command makes one or two, and closing it is how an operation is cancelled. */

export interface Request {
  socket: string;
  /** For the error when nobody listens. */
  home: string;
  method: string;
  target: string;
  body?: unknown;
  /** Milliseconds without a byte after which the daemon counts as lost; 0 waits for as long as the connection stands. */
  silenceMs: number;
  /** Aborting it before the head of the response is there gives the request up. */
  signal: AbortSignal | undefined;
}

export interface Connection {
  response: http.IncomingMessage;
  /** Says "stop" and goes on listening: the daemon sees the end of what we send, undoes, and tells. */
  halfClose(): void;
  close(): void;
}

/** Resolves when the head of the response is there. */
export function open(request: Request): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const text = request.body === undefined ? undefined : JSON.stringify(request.body);
    const outgoing = http.request({
      socketPath: request.socket,
      method: request.method,
      path: request.target,
      agent: false,
      headers: text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
    });
    outgoing.setTimeout(request.silenceMs, () => outgoing.destroy(new Error(`no answer within ${request.silenceMs / 1000} s`)));
    const giveUp = () => outgoing.destroy(fail("interrupted", { seconds: 0 }));
    if (request.signal?.aborted) giveUp();
    request.signal?.addEventListener("abort", giveUp, { once: true });
    outgoing.on("error", (error) => reject(connectionError(error, request.home)));
    outgoing.on("response", (response) => {
      request.signal?.removeEventListener("abort", giveUp);
      resolve({ response, halfClose: () => outgoing.socket?.end(), close: () => outgoing.destroy() });
    });
    outgoing.end(text);
  });
}

/** What a failing socket means to a user. */
export function connectionError(error: NodeJS.ErrnoException, home: string): PerchError {
  if (error instanceof PerchError) return error;
  if (error.code === "ENOENT" || error.code === "ECONNREFUSED" || error.code === "ENOTDIR") return fail("daemon_not_running", { home }, error);
  return fail(
    "daemon_lost",
    { why: error.code === "ECONNRESET" || error.code === "EPIPE" ? "it closed the connection half-way" : error.message },
    error,
  );
}
