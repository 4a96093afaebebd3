import http from "node:http";
import { callerHeader } from "../api/route.ts";
import { fail, PerchError } from "../errors/error.ts";
import { isCovered, refuseStranger } from "../host/files/chain.ts";
import type { Home } from "../host/system/home.ts";
import { callerText } from "./caller.ts";
import { connectMs, type Remote, remoteError, remoteName, serverName } from "./remote.ts";

/** The perchd of this host by its socket, or of another. */
export type Where = Pick<Home, "socket" | "root"> | Remote;

/**
 * One request over the daemon's unix socket, or to another host by TLS. One connection each: a command makes one or
 * two, and closing it is how an operation is cancelled.
 */

export interface Request {
  to: Where;
  method: string;
  target: string;
  body?: unknown;
  /**
   * Milliseconds without a byte after which the daemon counts as lost; 0 waits for as long as the connection stands.
   */
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
export async function open(request: Request): Promise<Connection> {
  const text = request.body === undefined ? undefined : JSON.stringify(request.body);
  const outgoing = await begin(request, text);
  return new Promise((resolve, reject) => {
    outgoing.setTimeout(request.silenceMs, () =>
      outgoing.destroy(new Error(`no answer within ${request.silenceMs / 1000} s`)),
    );
    const giveUp = () => outgoing.destroy(fail("interrupted_unanswered", {}));
    if (request.signal?.aborted) giveUp();
    request.signal?.addEventListener("abort", giveUp, { once: true });
    const stopListening = () => request.signal?.removeEventListener("abort", giveUp);
    outgoing.on("error", (error) => {
      stopListening();
      reject(connectionError(error, request.to));
    });
    outgoing.on("response", (response) => {
      stopListening();
      resolve({ response, halfClose: () => outgoing.socket?.end(), close: () => outgoing.destroy() });
    });
    outgoing.end(text);
  });
}

async function begin({ to, method, target }: Request, text: string | undefined): Promise<http.ClientRequest> {
  const headers =
    text === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  if ("socket" in to) {
    refuseStranger(to.socket);
    return http.request({
      socketPath: to.socket,
      method,
      path: target,
      agent: false,
      headers: { ...headers, [callerHeader]: callerText() },
    });
  }
  const { default: https } = await import("node:https"); // TLS takes its time to load
  const { host, port, authority, token } = to;
  const outgoing = https.request({
    host,
    port,
    ca: authority,
    servername: serverName,
    minVersion: "TLSv1.3",
    method,
    path: target,
    agent: false,
    headers: { ...headers, host: serverName, authorization: `Bearer ${token}` },
  });
  outgoing.once("socket", (socket) => {
    const late = setTimeout(() => outgoing.destroy(new Error(`no answer within ${connectMs / 1000} s`)), connectMs);
    for (const event of ["secureConnect", "close"]) socket.once(event, () => clearTimeout(late));
  });
  return outgoing;
}

/** What a failing socket means to a user. */
export function connectionError(error: NodeJS.ErrnoException, to: Where): PerchError {
  if (error instanceof PerchError) return error;
  if (!("socket" in to)) return remoteError(error, remoteName(to));
  const home = to.root;
  if (error.code === "ENOENT" && isCovered(to.socket)) return fail("inside_run", { home }, error);
  if (error.code === "ENOENT" || error.code === "ECONNREFUSED" || error.code === "ENOTDIR")
    return fail("daemon_not_running", { home }, error);
  return fail(
    "daemon_lost",
    {
      why: error.code === "ECONNRESET" || error.code === "EPIPE" ? "it closed the connection half-way" : error.message,
    },
    error,
  );
}
