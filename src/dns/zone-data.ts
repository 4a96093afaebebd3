import { z } from "zod";
import { parseAddress } from "../model/address.ts";

/** What perchd tells the name server: the whole of it each time. Addresses are IPv6 text, regions are codes of model/region.ts. */

const address = z.string().refine((text) => parseAddress(text) !== undefined, "is no IPv6 address");

const zoneMachine = z.object({
  id: z.string(),
  region: z.string(),
  address,
  state: z.enum(["started", "stopped"]),
  /** AAAA answers hold healthy started machines only; TXT answers list started ones. */
  healthy: z.boolean(),
  role: z.enum(["leader", "replica"]).optional(),
  /** The process group, for `<group>.process.<app>.internal`. */
  group: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

const zoneApp = z.object({ name: z.string(), primaryRegion: z.string().optional(), machines: z.array(zoneMachine) });

export const zoneData = z.object({
  /** Three groups, "fdaa:3f9a:12bc". */
  prefix: z.string().refine((text) => parseAddress(`${text}::`) !== undefined, "is no network prefix"),
  apps: z.array(zoneApp),
  peers: z.array(z.object({ name: z.string(), address })),
  /** Where an asker without a region, about an app without a primary region, is taken to be. */
  defaultRegion: z.string(),
});

export type ZoneMachine = z.infer<typeof zoneMachine>;
export type ZoneApp = z.infer<typeof zoneApp>;
export type ZoneData = z.infer<typeof zoneData>;
