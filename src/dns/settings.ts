import { resolvers } from "./resolvers.ts";
import type { Binding } from "./sockets.ts";
import { readZoneData, type ZoneData } from "./zone-data.ts";

/** What a name server is started with: one JSON file, written by `start.ts` and read once. */
export interface Settings {
  /** The network's first zone, so that there is no moment at which a name is missing. */
  zone: ZoneData;
  /** The unix socket it is controlled by. */
  control: string;
  /** argv that puts a program inside the namespace; empty where that is not needed. */
  enter: readonly string[];
  version: string;
  /** Where the host's resolvers are written, and their port: /etc/resolv.conf and 53. */
  resolvConf?: string;
  resolverPort?: number;
  /** Where to answer; every resolver of the network at port 53 where it is left out. */
  bindings?: readonly Binding[];
}

/** The file's text, with what was left out filled in. */
export function readSettings(json: string): Required<Settings> {
  const found = JSON.parse(json) as Settings;
  const zone = readZoneData(found.zone);
  return { resolvConf: "/etc/resolv.conf", resolverPort: 53, bindings: standardBindings(zone.prefix), ...found, zone };
}

/** Every resolver of the network, over UDP and TCP, at port 53. */
export const standardBindings = (prefix: string): Binding[] =>
  (["udp", "tcp"] as const).flatMap((protocol) =>
    resolvers(prefix).map(({ address, region, inside }) => ({ address, port: 53, region, inside, protocol })),
  );
