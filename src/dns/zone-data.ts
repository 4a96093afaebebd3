import { parseAddress } from "../model/address.ts";
import { list, object, optional, text } from "./check.ts";

/**
 * What perchd tells the name server: the whole of it each time. Addresses are IPv6 text, regions are codes of
 * model/region.ts.
 */
export interface ZoneData {
  /** Three groups, "fdaa:3f9a:12bc". */
  prefix: string;
  apps: ZoneApp[];
  peers: { name: string; address: string }[];
  /** Where an asker without a region, about an app without a primary region, is taken to be. */
  defaultRegion: string;
}

export interface ZoneApp {
  name: string;
  primaryRegion?: string | undefined;
  machines: ZoneMachine[];
}

export interface ZoneMachine {
  id: string;
  region: string;
  address: string;
  state: "started" | "stopped";
  /** AAAA answers hold healthy started machines only; TXT answers list started ones. */
  healthy: boolean;
  role?: "leader" | "replica" | undefined;
  /** The process group, for `<group>.process.<app>.internal`. */
  group?: string | undefined;
  metadata?: Record<string, string> | undefined;
}

/** The zone out of parsed JSON; throws an error that names the place of what is wrong. */
export function readZoneData(value: unknown): ZoneData {
  const zone = object(value, "zone");
  const prefix = text(zone["prefix"], "prefix");
  if (parseAddress(`${prefix}::`) === undefined || prefix.split(":").length !== 3)
    throw new Error(`prefix "${prefix}" is no network's`);
  return {
    prefix,
    apps: list(zone["apps"], "apps", readApp),
    peers: list(zone["peers"], "peers", (peer, at) => ({
      name: text(peer["name"], `${at}.name`),
      address: address(peer["address"], `${at}.address`),
    })),
    defaultRegion: text(zone["defaultRegion"], "defaultRegion"),
  };
}

const readApp = (app: Record<string, unknown>, at: string): ZoneApp => ({
  name: text(app["name"], `${at}.name`),
  primaryRegion: optional(app["primaryRegion"], `${at}.primaryRegion`, text),
  machines: list(app["machines"], `${at}.machines`, readMachine),
});

const readMachine = (machine: Record<string, unknown>, at: string): ZoneMachine => ({
  id: text(machine["id"], `${at}.id`),
  region: text(machine["region"], `${at}.region`),
  address: address(machine["address"], `${at}.address`),
  state: machine["state"] === "started" ? "started" : "stopped",
  healthy: machine["healthy"] === true,
  role: machine["role"] === "leader" || machine["role"] === "replica" ? machine["role"] : undefined,
  group: optional(machine["group"], `${at}.group`, text),
  metadata: optional(machine["metadata"], `${at}.metadata`, texts),
});

function address(value: unknown, at: string): string {
  const found = text(value, at);
  if (parseAddress(found) === undefined) throw new Error(`${at} "${found}" is no IPv6 address`);
  return found;
}

const texts = (value: unknown, at: string): Record<string, string> =>
  Object.fromEntries(Object.entries(object(value, at)).map(([key, each]) => [key, text(each, `${at}.${key}`)]));
