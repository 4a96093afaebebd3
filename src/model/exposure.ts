import { fail } from "../errors/error.ts";
import { parseAddress } from "./address.ts";
import { printable } from "./name.ts";

/**
 * A cluster's public door as it is asked for, and the laws of what is typed for it: where it listens, who may come,
 * under which name. Pure.
 */
export interface Exposure {
  /** The public DNS name; the server's certificate names it. */
  hostname: string;
  /** Where on this host: "203.0.113.7:5432", "[2001:db8::1]:5432". */
  listen: string;
  /** A second port that leads to replicas. */
  replicaListen?: string;
  /** CIDRs that may come; none: everyone. */
  allow: string[];
  /** Files with a certificate chain and its key; absent: the network's own authority certifies the name. */
  files?: { certificate: string; key: string };
  /** Superusers may connect through it, too. */
  allowSuperuser: boolean;
  /** The superusers there were when last looked: each is refused by name. Absent until then: everybody is refused. */
  superusers?: string[];
  limits: DoorLimits;
  /** Present: it was just asked for, and is taken back where it cannot be opened. */
  phase?: "creating";
  /** What is wanted again then. */
  before?: Exposure;
  createdAt: string;
}

export interface DoorLimits {
  /** Connections open at once, of everyone together. */
  total: number;
  /** Of one source: an IPv4 address, or the /64 of an IPv6 one. */
  perSource: number;
  /** New ones a second of one source, after the first `perSource`. */
  perSecond: number;
  /** So many wrong passwords within `failuresWithin` seconds shut a source out for `shutFor` seconds. */
  failures: number;
  failuresWithin: number;
  shutFor: number;
}

/** A third of PostgreSQL's own 300 connections: however many come by the door, the apps inside find room. */
export const defaultLimits: DoorLimits = {
  total: 100,
  perSource: 40,
  perSecond: 20,
  failures: 10,
  failuresWithin: 60,
  shutFor: 300,
};

export interface Listen {
  host: string;
  port: number;
}

/** `203.0.113.7:5432`, `[2001:db8::1]:5432`. Throws listen_invalid. */
export function parseListen(text: string, flag: string): Listen {
  const [, six, four, digits] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = six ?? four ?? "";
  const port = Number(digits ?? 0);
  const why =
    digits === undefined
      ? "it is no ADDRESS:PORT"
      : port < 1 || port > 65_535
        ? "a port is a number from 1 to 65535"
        : (six === undefined ? !isIPv4(host) : parseAddress(host) === undefined)
          ? "the address is no IP address"
          : undefined;
  if (why !== undefined) throw fail("listen_invalid", { what: flag, value: printable(text), why });
  return { host, port };
}

/** Without leading zeros: some read those as octal, and Node not at all. */
export const isIPv4 = (text: string): boolean =>
  /^(\d{1,3}\.){3}\d{1,3}$/.test(text) &&
  text.split(".").every((part) => Number(part) < 256 && String(Number(part)) === part);

/** Whether it stands for every address of the machine. */
export const isEverywhere = ({ host }: Listen): boolean =>
  host === "0.0.0.0" || (parseAddress(host)?.every((group) => group === 0) ?? false);

export interface Cidr {
  address: string;
  bits: number;
  family: "ipv4" | "ipv6";
}

/** `203.0.113.0/24`, `2001:db8::/32`, or one address. Throws cidr_invalid. */
export function parseCidr(text: string): Cidr {
  const [address = "", digits, ...more] = text.split("/");
  const family = isIPv4(address) ? "ipv4" : parseAddress(address) === undefined ? undefined : "ipv6";
  const most = family === "ipv4" ? 32 : 128;
  const bits = digits === undefined ? most : /^\d{1,3}$/.test(digits) ? Number(digits) : 999;
  const why =
    family === undefined || more.length > 0
      ? "it is no address and no CIDR"
      : bits > most
        ? `behind the slash stands a number up to ${most}`
        : undefined;
  if (family === undefined || why !== undefined)
    throw fail("cidr_invalid", { value: printable(text), why: why ?? "it is no CIDR" });
  return { address, bits, family };
}

/** A public DNS name. Throws hostname_invalid. */
export function checkHostname(text: string): string {
  const name = text.toLowerCase().replace(/\.$/, "");
  const labels = name.split(".");
  const why =
    name.length > 253 || labels.some((label) => !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label))
      ? "it is no DNS name"
      : isIPv4(name)
        ? "it is an address"
        : labels.length < 2
          ? "it has no dot"
          : name.endsWith(".internal") || name.endsWith(".flycast")
            ? "that name lives in the private network only"
            : undefined;
  if (why !== undefined) throw fail("hostname_invalid", { name: printable(text), why });
  return name;
}
