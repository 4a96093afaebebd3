import { networkResolver, regionResolver, serverResolver, wellKnownResolver } from "../model/address.ts";
import { regions } from "../model/region.ts";

/** An address the name server answers at. The region of whoever asks is known by the one he asks. */
export interface Resolver {
  address: string;
  /** Its own name in the zone. */
  name: string;
  /** Absent: the asker's region is not known. */
  region?: string;
  /** Names of the network alone are answered: for PostgreSQL, whose functions an app may call with any name. */
  inside?: true;
}

/** The name server's own name; no app's name begins with an underscore. */
export const serverName = "_dns.internal";

/** Every resolver address of a network: the loopback of its namespace must have them before the name server starts. */
export const resolvers = (prefix: string): Resolver[] => [
  { address: networkResolver(prefix), name: serverName },
  { address: wellKnownResolver, name: serverName },
  { address: serverResolver(prefix), name: `server.${serverName}`, inside: true },
  ...regions.map((region) => ({
    address: regionResolver(prefix, region),
    name: `${region.code}.${serverName}`,
    region: region.code,
  })),
];
