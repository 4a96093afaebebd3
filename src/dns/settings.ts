import { z } from "zod";
import { resolvers } from "./resolvers.ts";
import type { Binding } from "./sockets.ts";
import { zoneData } from "./zone-data.ts";

/** What a name server is started with: one JSON file, read once. */
export const settings = z.object({
  /** The network's first zone, so that there is no moment at which a name is missing. */
  zone: zoneData,
  /** The unix socket it is controlled by. */
  control: z.string(),
  /** argv that puts a program inside the namespace. */
  enter: z.array(z.string()),
  version: z.string(),
  /** Where the host's resolvers are written. */
  resolvConf: z.string().default("/etc/resolv.conf"),
  /** The port of the host's resolvers. */
  resolverPort: z.int().default(53),
  /** Where to answer; every resolver of the network at port 53 where it is left out. */
  bindings: z.array(z.object({ address: z.string(), port: z.int(), region: z.string().optional(), protocol: z.enum(["udp", "tcp"]) })).optional(),
});

export type Settings = z.infer<typeof settings>;

const protocols = ["udp", "tcp"] as const;

/** Every resolver of the network, over UDP and TCP, at port 53. */
export const standardBindings = (prefix: string): Binding[] =>
  protocols.flatMap((protocol) => resolvers(prefix).map(({ address, region }) => ({ address, port: 53, protocol, ...(region === undefined ? {} : { region }) })));
