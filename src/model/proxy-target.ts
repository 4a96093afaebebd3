import { fail } from "../errors/error.ts";
import { parseAddress, wellKnownResolver } from "./address.ts";
import { printable } from "./name.ts";

/**
 * Where `perch proxy` may lead: addresses of the network and its names, and the loopback inside, where apps listen that
 * say `localhost`. Never what lies outside of it, the host or the Internet: whoever may use the daemon's socket has
 * those already, by ways that show who is asking.
 */
export type ProxyTarget = { kind: "name"; name: string } | { kind: "address"; address: string } | { kind: "loopback" };

/** `prefix`: three groups. Throws `target_refused`. */
export function proxyTarget(prefix: string, host: string): ProxyTarget {
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  const groups = parseAddress(bare);
  if (groups !== undefined) {
    const network = parseAddress(`${prefix}::`) ?? [];
    const inside =
      bare.toLowerCase() === wellKnownResolver || [0, 1, 2].every((index) => groups[index] === network[index]);
    if (inside && !isHost(groups)) return { kind: "address", address: bare.toLowerCase() };
    throw refused(host, isHost(groups) && inside ? "that address is the host's" : "that address is not in the network");
  }
  const name = bare.toLowerCase().replace(/\.$/, "");
  if (name === "localhost") return { kind: "loopback" };
  if (!/\.(internal|flycast)$/.test(name))
    throw refused(
      host,
      name.includes(".") ? "it is no address and no name of the network" : `${printable(name)}.internal may be meant`,
    );
  if (name.length > 253 || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/.test(name)) throw refused(host, "it is no name");
  return { kind: "name", name };
}

/** `<net>::1`, which the host has while it may reach the network. */
const isHost = (groups: readonly number[]): boolean =>
  groups.slice(3).every((group, index) => group === (index === 4 ? 1 : 0));

const refused = (host: string, why: string) => fail("target_refused", { target: printable(host), why });
