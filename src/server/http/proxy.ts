import { leaderPort, memberPort } from "../../model/ports.ts";
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { routes } from "../../api/routes.ts";
import { fail, toPerchError } from "../../errors/error.ts";
import { networkResolver, regionResolver } from "../../model/address.ts";
import { checkRegion, printable } from "../../model/name.ts";
import { proxyTarget } from "../../model/proxy-target.ts";
import { findRegion } from "../../model/region.ts";
import type { Dial } from "../../cluster/ways.ts";
import type { Deps } from "../deps.ts";
import { parse } from "./answer.ts";
import type { Handlers } from "./http.ts";
import { logged, refuse } from "./refusal.ts";

/**
 * `POST /v1/proxy`: asked plainly it tells where a connection would lead; asked to upgrade, it becomes that connection.
 */

type Wanted = Parameters<Handlers["proxy"]>[0]["query"];

export function proxyHandler(deps: Deps): Pick<Handlers, "proxy"> {
  return {
    async proxy({ query }) {
      const to = await dialOf(deps, query);
      return { host: to.host, port: to.port, addresses: await deps.dialler.look(to) };
    },
  };
}

/**
 * What perchd's HTTP server does with a request to upgrade. Errors are answered as any route answers them, and then
 * there is no connection.
 */
export function proxyUpgrade(deps: Deps): (request: IncomingMessage, client: Duplex) => void {
  return (request, client) => {
    client.on("error", () => undefined);
    lead(deps, request, client).catch((error: unknown) => refuse(client, logged(toPerchError(error), deps.log)));
  };
}

async function lead(deps: Deps, request: IncomingMessage, client: Duplex): Promise<void> {
  const { pathname, searchParams } = urlOf(request);
  const { method = "GET", headers } = request;
  if (method !== "POST" || pathname !== routes.proxy.path || headers.upgrade?.toLowerCase() !== "perch-proxy")
    throw fail("route_unknown", { method, path: pathname.slice(0, 200) });
  const wanted = parse(routes.proxy.query, Object.fromEntries(searchParams), "query") as Wanted;
  const dialled = await deps.dialler.dial(await dialOf(deps, wanted));
  if (client.destroyed || !(client instanceof Socket)) return dialled.drop();
  dialled.take(client);
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? "/", "http://perchd");
  } catch (error) {
    throw fail("request_invalid", { why: "the path is no URL" }, error);
  }
}

/** With a region: its nearest member itself, as `perch postgres connect --region` has it. */
async function dialOf(deps: Deps, wanted: Wanted): Promise<Dial> {
  const code = wanted.region === undefined ? undefined : checkRegion(wanted.region);
  const port = wanted.port ?? (code === undefined ? leaderPort : memberPort);
  const target = proxyTarget(deps.prefix, wanted.host);
  if (deps.place.mode === "portable") return portableDial(deps, wanted.host, port, code);
  if (target.kind === "loopback") return { host: "localhost", port };
  if (target.kind === "address") return { host: target.address, port };
  const region = code === undefined ? undefined : findRegion(code);
  return {
    host: target.name,
    port,
    server: region === undefined ? networkResolver(deps.prefix) : regionResolver(deps.prefix, region),
  };
}

/** There are no names then, but a cluster has its relay, and each member a port, on the host's loopback. */
async function portableDial({ state }: Deps, host: string, port: number, region: string | undefined): Promise<Dial> {
  const app = /^([a-z0-9-]+)\.internal$/.exec(host)?.[1];
  const cluster = app === undefined ? undefined : await state.clusters.get({ app });
  if (cluster === undefined || (port !== leaderPort && port !== memberPort))
    throw fail("portable_mode", { what: `perch proxy to ${printable(host)}:${port}` });
  const members = (await state.machines.list()).filter(
    (machine) => machine.app === cluster.app && machine.kind === "postgres",
  );
  const nearest =
    members.find((machine) => machine.region === region) ?? members.find((machine) => machine.id === cluster.leader);
  const found = port === leaderPort ? cluster.portablePort : nearest?.portablePort;
  if (found === undefined) throw fail("target_unreachable", { target: `${host}:${port}`, why: "it has no port yet" });
  return { host: "127.0.0.1", port: found };
}
