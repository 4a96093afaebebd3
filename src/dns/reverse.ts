import { reverseName, wellKnownResolver } from "../model/address.ts";
import type { Outcome } from "./records.ts";
import { resolvers, serverName } from "./resolvers.ts";
import type { ZoneData } from "./zone-data.ts";

/**
 * Names of addresses: every machine, resolver and peer of the network. Reverse names of the network's /48 are ours,
 * whether anything is there or not, and so are those of every other network: what is in them does not exist here, and
 * nobody outside is asked.
 */
export interface ReverseZone {
  holds(name: string): boolean;
  /** The top of the zone that a held name is in. */
  apexOf(name: string): string;
  lookUp(name: string): Outcome | undefined;
}

/** fdaa::/16, which the /48 of every network begins with. */
const allNetworks = "a.a.d.f.ip6.arpa";

export function reverseZone(data: ZoneData): ReverseZone {
  const names = new Map<string, string>();
  const name = (address: string, target: string) => names.set(reverseName(address) ?? "", target);
  for (const resolver of resolvers(data.prefix)) name(resolver.address, resolver.name);
  for (const app of data.apps)
    for (const machine of app.machines) name(machine.address, `${machine.id}.vm.${app.name}.internal`);
  for (const peer of data.peers) name(peer.address, `${peer.name}._peer.internal`);

  const apex = (reverseName(`${data.prefix}::`) ?? "").slice(-"c.b.2.1.a.9.f.3.a.a.d.f.ip6.arpa".length);
  const wellKnown = reverseName(wellKnownResolver) ?? "";
  const parents = new Set(
    [...names.keys()].flatMap((full) => Array.from({ length: 20 }, (_, nibbles) => full.slice(2 * nibbles))),
  );

  return {
    holds: (asked) => asked === wellKnown || asked.endsWith(`.${allNetworks}`),
    apexOf: (asked) =>
      asked === wellKnown ? wellKnown : asked === apex || asked.endsWith(`.${apex}`) ? apex : allNetworks,
    lookUp(asked) {
      if (asked === apex) return { known: true, ns: serverName };
      const ptr = names.get(asked);
      if (ptr !== undefined) return { known: true, ptr };
      return parents.has(asked) ? { known: true } : undefined;
    },
  };
}
