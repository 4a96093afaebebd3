import { fail } from "../errors/error.ts";
import { parseAddress } from "./address.ts";
import { isIPv4 } from "./exposure.ts";
import { printable } from "./name.ts";

/** Where a WireGuard peer finds this host: `vpn.example.com:51820`, `203.0.113.7`, `[2001:db8::1]:51820`. Pure. */
export interface Endpoint {
  host: string;
  /** Absent: the one that the door listens on. */
  port?: number;
}

/** Throws endpoint_invalid. */
export function parseEndpoint(text: string): Endpoint {
  const bare =
    parseAddress(text) === undefined ? /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text) : ["", text];
  const [, six, name, digits] = bare ?? [];
  const port = digits === undefined ? undefined : Number(digits);
  const why =
    bare === null
      ? "it is not HOST:PORT"
      : port !== undefined && (port < 1 || port > 65_535)
        ? "a port is a number from 1 to 65535"
        : six === undefined
          ? whyNotHost(name ?? "")
          : parseAddress(six) === undefined
            ? "there is no IPv6 address between the brackets"
            : undefined;
  if (why !== undefined) throw fail("endpoint_invalid", { value: printable(text), why });
  return { host: six ?? name ?? "", ...(port === undefined ? {} : { port }) };
}

function whyNotHost(host: string): string | undefined {
  if (isIPv4(host)) return undefined;
  if (host.length > 253 || !host.split(".").every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label)))
    return "it is no name of a host";
  return /^[\d.]+$/.test(host) ? "it is no IPv4 address" : undefined;
}

export const endpointText = ({ host, port }: Required<Endpoint>): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
