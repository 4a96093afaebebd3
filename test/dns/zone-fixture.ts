import type { ZoneData, ZoneMachine } from "../../src/dns/zone-data.ts";

/** A network with a cluster in three regions, an app with process groups, one without machines, and peers. */

export const prefix = "fdaa:3f9a:12bc";

export const machine = (id: string, region: string, address: string, more: Partial<ZoneMachine> = {}): ZoneMachine => ({
  id,
  region,
  address: `${prefix}:${address}`,
  state: "started",
  healthy: true,
  ...more,
});

export const leader = `${prefix}:1::10`;
export const amsReplica = `${prefix}:1::a`;
export const london = `${prefix}:c::11`;
export const washington = `${prefix}:9::12`;

export const zoneData: ZoneData = {
  prefix,
  defaultRegion: "ams",
  peers: [
    { name: "laptop", address: `${prefix}::a:1` },
    { name: "interactive-7f", address: `${prefix}::a:2` },
  ],
  apps: [
    {
      name: "pg",
      primaryRegion: "ams",
      machines: [
        machine("4a", "lhr", "c::11", { role: "replica" }),
        machine("2b", "ams", "1::a", { role: "replica" }),
        machine("1c", "ams", "1::10", { role: "leader", metadata: { role: "Primary", version: "1.2" } }),
        machine("9d", "iad", "9::12", { role: "replica" }),
        machine("5e", "syd", "11::13", { role: "replica", state: "stopped" }),
        machine("6f", "lhr", "c::14", { role: "replica", healthy: false }),
      ],
    },
    {
      name: "web",
      machines: [
        machine("w1", "lhr", "c::20", { group: "app" }),
        machine("w2", "ams", "1::21", { group: "worker" }),
        machine("w3", "ams", "1::22", { group: "cron", state: "stopped" }),
      ],
    },
    { name: "idle", machines: [] },
  ],
};
