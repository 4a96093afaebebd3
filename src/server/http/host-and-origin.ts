import type { IncomingHttpHeaders } from "node:http";
import { fail, type PerchError } from "../../errors/error.ts";
import { printable } from "../../model/name.ts";

/**
 * A page in somebody's browser must not speak to perchd. A name of the page's own that leads to this host (DNS
 * rebinding) is not a host of ours, and whatever a page sends of itself says so in `Origin` or `Sec-Fetch-Site`. Asked
 * before a token is looked at, on every HTTP listener. Pure.
 */
export function refusedByHeaders(headers: IncomingHttpHeaders, hosts: readonly string[]): PerchError | undefined {
  const { origin, host = "" } = headers;
  const site = headers["sec-fetch-site"];
  if (origin !== undefined || (site !== undefined && site !== "none")) return fail("origin_refused", {});
  return hosts.includes(hostIn(host)) ? undefined : fail("host_refused", { host: printable(host.slice(0, 100)) });
}

/** What a program calls the socket, which has no host: nothing, or what Node and curl are given. */
export const socketHosts: readonly string[] = ["", "localhost", "perchd"];

/** The host of a `Host` header without its port and brackets, in small letters. */
export function hostIn(header: string): string {
  const [, six, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(header) ?? [];
  return (six ?? name ?? header).toLowerCase();
}
