/**
 * The daemon's HTTP side: routes of `api/` bound to handlers. A handler checks, changes desired state and waits for the loops to make it so; it never
 * touches PostgreSQL's processes or the network itself. Start here, then `handlers.ts` (which handler serves which route).
 */
import type { IncomingMessage } from "node:http";
import { type Duplex, Readable } from "node:stream";
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { type Frame, maxBodyBytes, type Route, type RouteAnswer, type RouteInput } from "../api/route.ts";
import { type RouteName, routes } from "../api/routes.ts";
import type { Log } from "../base/log.ts";
import { fail, toPerchError } from "../errors/error.ts";
import { openApiDocument } from "./openapi.ts";
import { fromFastify, logged, readOn, sendError } from "./refusal.ts";

export interface Call {
  /** Aborts when the caller hangs up. */
  signal: AbortSignal;
  /** One sentence for whoever waits; goes nowhere on plain routes. */
  progress(sentence: string): void;
}

type Routes = typeof routes;

/** One handler a route: plain and stream routes give the answer, feed routes give its items. */
export type Handlers = {
  [N in RouteName]: Routes[N]["kind"] extends "feed"
    ? (input: RouteInput<Routes[N]>, call: Call) => AsyncIterable<RouteAnswer<Routes[N]>>
    : (input: RouteInput<Routes[N]>, call: Call) => Promise<RouteAnswer<Routes[N]>>;
};

export interface HttpOptions {
  log: Log;
  version: string;
  /** What a request to upgrade its connection becomes; without it, it is a request like any other. */
  upgrade?: (request: IncomingMessage, client: Duplex) => void;
}

type AnyHandler = (input: { params: unknown; query: unknown; body: unknown }, call: Call) => Promise<unknown> | AsyncIterable<unknown>;

export function httpServer(handlers: Handlers, options: HttpOptions): FastifyInstance {
  const app = Fastify({
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
    keepAliveTimeout: 5_000,
    requestTimeout: 30_000,
    frameworkErrors: (error, _request, reply) => sendError(reply, fail("request_invalid", { why: "the path is no URL" }, error), options.log),
  });
  // Node's word for: when the caller has said its last word, do not hang up on it (see hangUpSignal).
  Object.assign(app.server, { httpAllowHalfOpen: true });
  if (options.upgrade !== undefined) app.server.on("upgrade", options.upgrade);
  app.setErrorHandler(async (error, request, reply) => {
    const known = fromFastify(error);
    if (known.code === "request_too_large") await readOn(request);
    sendError(reply, known, options.log);
    return reply;
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, fail("route_unknown", { method: request.method, path: request.url.slice(0, 200) }), options.log),
  );
  app.get("/openapi.json", () => openApiDocument(options.version));
  for (const name of Object.keys(routes) as RouteName[]) {
    const route: Route = routes[name];
    const handler = handlers[name] as unknown as AnyHandler;
    app.route({
      method: route.method,
      url: route.path,
      handler: (request, reply) => answer(route, handler, request, reply, options.log),
    });
  }
  return app;
}

async function answer(route: Route, handler: AnyHandler, request: FastifyRequest, reply: FastifyReply, log: Log): Promise<unknown> {
  const input = {
    params: request.params,
    query: parse(route.query, request.query, "query"),
    body: parse(route.body, request.body, "body"),
  };
  const signal = hangUpSignal(request, reply);
  if (route.kind === "plain") {
    return handler(input, { signal, progress: () => undefined });
  }
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  reply.raw.flushHeaders();
  if (route.kind === "stream") await sendStream(handler, input, reply, signal, log);
  else await sendFeed(handler, input, reply, signal, log);
  return undefined;
}

/** Aborts when the caller's side of the connection ends. A caller that only stops sending still hears how its operation was undone. */
function hangUpSignal(request: FastifyRequest, reply: FastifyReply): AbortSignal {
  const hangUp = new AbortController();
  const { socket } = request.raw;
  const onEnd = () => {
    if (!reply.raw.writableFinished) hangUp.abort(new Error("the caller hung up"));
  };
  socket.once("end", onEnd);
  reply.raw.once("close", () => {
    socket.off("end", onEnd);
    onEnd();
  });
  if (socket.readableEnded) onEnd();
  return hangUp.signal;
}

async function sendStream(handler: AnyHandler, input: Parameters<AnyHandler>[0], reply: FastifyReply, signal: AbortSignal, log: Log): Promise<void> {
  const send = (frame: Frame<unknown>) => {
    if (!reply.raw.writableEnded) reply.raw.write(`${JSON.stringify(frame)}\n`);
  };
  try {
    send({ result: await handler(input, { signal, progress: (sentence) => send({ progress: sentence }) }) });
  } catch (error) {
    send({ error: logged(toPerchError(error), log).toBody() });
  }
  reply.raw.end();
}

async function sendFeed(handler: AnyHandler, input: Parameters<AnyHandler>[0], reply: FastifyReply, signal: AbortSignal, log: Log): Promise<void> {
  const lines = async function* () {
    try {
      for await (const item of handler(input, { signal, progress: () => undefined }) as AsyncIterable<unknown>) yield `${JSON.stringify(item)}\n`;
    } catch (error) {
      if (!signal.aborted) yield `${JSON.stringify({ error: logged(toPerchError(error), log).toBody() })}\n`;
    }
  };
  const stream = Readable.from(lines());
  stream.on("error", () => undefined);
  stream.pipe(reply.raw);
  const stop = () => {
    stream.destroy();
    reply.raw.end();
  };
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
}

export function parse(schema: Route["body"], value: unknown, where: string): unknown {
  if (schema === undefined) return {};
  const result = schema.strict().safeParse(value ?? {});
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue === undefined || issue.path.length === 0 ? where : `${where}.${issue.path.join(".")}`;
  throw fail("request_invalid", { why: `${path}: ${issue?.message ?? "wrong shape"}` });
}
