/**
 * The daemon's HTTP side: routes of `api/` bound to handlers. A handler checks, changes desired state and waits for the
 * loops to make it so; it never touches PostgreSQL's processes or the network itself. Start here, then `handlers.ts`
 * (which handler serves which route).
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import Fastify, { type FastifyInstance, type FastifyRequest, type FastifyServerFactory } from "fastify";
import { maxBodyBytes, versionHeader, type Route, type RouteAnswer, type RouteInput } from "../../api/route.ts";
import { type RouteName, routes } from "../../api/routes.ts";
import type { Log } from "../../base/log.ts";
import { fail } from "../../errors/error.ts";
import { withinDescriptors } from "../../host/sockets/descriptors.ts";
import { printable } from "../../model/name.ts";
import { answer } from "./answer.ts";
import type { AnyHandler, Call } from "./call.ts";
import { openApiDocument } from "./openapi.ts";
import { refusedByHeaders, socketHosts } from "./host-and-origin.ts";
import type { Admission, Guard } from "../remote/guard.ts";
import { type Visitors, visitorsOf } from "./connection-limiter.ts";
import { fromFastify, isUnread, readOn, refuse, refuseBytes, sendError } from "./refusal.ts";

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
  /**
   * For other hosts: the server with its TLS, and who comes in. Without it everyone does: the socket's own mode
   * keeps strangers out.
   */
  remote?: {
    server(listener: RequestListener): Server;
    guard: Guard;
    /** The names and addresses by which this server is called. */
    hosts(local: string | undefined): readonly string[];
  };
}

/** From elsewhere a little more than the guard lets under way, so that it is the guard who says no to whom it knows. */
const visitorsAtMost = {
  here: { total: withinDescriptors(1_000, 0.25), perSource: 1_000, perSecond: 10_000 },
  elsewhere: { total: withinDescriptors(500, 0.25), perSource: 250, perSecond: 150 },
};

export function httpServer(handlers: Handlers, options: HttpOptions): FastifyInstance {
  const { remote } = options;
  const factory: { serverFactory?: FastifyServerFactory } =
    remote === undefined ? {} : { serverFactory: (listener) => remote.server(listener) };
  const app = Fastify<Server>({
    ...factory,
    bodyLimit: maxBodyBytes,
    forceCloseConnections: true,
    keepAliveTimeout: 5_000,
    requestTimeout: 30_000,
    clientErrorHandler: refuseBytes,
    frameworkErrors: (error, _request, reply) =>
      sendError(reply, fail("request_invalid", { why: "the path is no URL" }, error), options.log),
  });
  // Node's word for: when the caller has said its last word, do not hang up on it (see hangUpSignal). And what Node
  // would refuse without a word, we answer.
  Object.assign(app.server, { httpAllowHalfOpen: true, requireHostHeader: false });
  app.server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) =>
    app.server.emit("request", request, response),
  );
  app.server.on("connect", (request: IncomingMessage, client: Duplex) => {
    client.on("error", () => undefined);
    if (remote === undefined)
      refuse(client, fail("route_unknown", { method: "CONNECT", path: printable(request.url ?? "") }));
    else client.destroy(); // a stranger, perhaps
  });
  const { upgrade } = options;
  const refused = ({ headers, socket }: IncomingMessage) =>
    refusedByHeaders(headers, remote?.hosts(socket.localAddress) ?? socketHosts);
  app.addHook("onRequest", async (request) => {
    const refusal = refused(request.raw);
    if (refusal !== undefined) throw refusal;
  });
  const visitors = visitorsOf(app.server, remote === undefined ? visitorsAtMost.here : visitorsAtMost.elsewhere);
  if (upgrade !== undefined) {
    app.server.on("upgrade", (request, client: Socket) => {
      const refusal = refused(request);
      if (refusal !== undefined) client.on("error", () => undefined);
      if (refusal !== undefined) return refuse(client, refusal);
      visitors.recognise(client);
      return upgrade(request, client);
    });
  }
  // Strangers are told nothing of what runs here.
  if (remote === undefined)
    app.addHook("onRequest", async (_request, reply) => void reply.raw.setHeader(versionHeader, options.version));
  app.addHook("preClose", async () => visitors.close());
  const admissions = admissionsOf(app, remote?.guard, visitors);
  // What of a body is still to come is not waited for: the connection ends with the answer.
  app.addHook("onSend", async (request, reply) => {
    if (isUnread(request)) reply.header("connection", "close");
  });
  app.setErrorHandler(async (error, request, reply) => {
    if (isUnread(request)) await readOn(request);
    sendError(reply, fromFastify(error), options.log);
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
      handler: (request, reply) =>
        answer(route, handler, request, reply, { log: options.log, admission: admissions(request) }),
    });
  }
  return app;
}

/** Who comes in is asked before anything of the request is read, routes that do not exist among them. */
function admissionsOf(
  app: FastifyInstance,
  guard: Guard | undefined,
  visitors: Visitors,
): (request: FastifyRequest) => Admission | undefined {
  const admissions = new WeakMap<FastifyRequest, Admission>();
  app.addHook("onRequest", async (request, reply) => {
    if (guard === undefined) return visitors.recognise(request.raw.socket);
    const admission = guard.admit(request.headers.authorization, request.raw.socket.remoteAddress ?? "");
    visitors.recognise(request.raw.socket);
    admissions.set(request, admission);
    reply.raw.once("close", () => admission.release());
  });
  return (request) => admissions.get(request);
}
