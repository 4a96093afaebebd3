import type { ClusterFacts, Facts, ServerFacts } from "../../src/capacity/facts.ts";
import type { Slot, Usage } from "../../src/postgres/sql/probe.ts";

/** Facts for tests: there is plenty of all, and what a test changes. */
export const megabyte = 1024 ** 2;
export const gigabyte = 1024 ** 3;

export const slot: Slot = { name: "perch_l1", physical: true, active: true, keptBytes: 0, state: "reserved" };

export const usage: Usage = {
  connections: { max: 297, used: 5, most: { user: "web", used: 4 } },
  slots: { each: [slot], max: 16, keepBytes: gigabyte },
  memory: { sharedBytes: 128 * megabyte, perConnectionBytes: 4 * megabyte },
  oldest: { database: "web", age: 150_000_000 },
};

export const leader: ServerFacts = { machine: "a1", leads: true, usage };

export const cluster: ClusterFacts = {
  name: "pg",
  servers: [leader, { machine: "l1", leads: false, usage: { ...usage, slots: { ...usage.slots, each: [] } } }],
  owners: new Map([["perch_l1", { machine: "l1", stopped: false }]]),
};

/** A cluster of one server, of which this is so. */
export const clusterWith = (more: Partial<Usage>): ClusterFacts => ({
  ...cluster,
  servers: [{ ...leader, usage: { ...usage, ...more } }],
});

export const plenty: Facts = {
  clusters: [cluster],
  disks: [
    {
      path: "/h",
      holds: ["what perchd keeps", "PostgreSQL's data"],
      bytes: 100 * gigabyte,
      freeBytes: 50 * gigabyte,
      inodes: 6_000,
      freeInodes: 5_000,
    },
  ],
  memory: { bytes: 8 * gigabyte, availableBytes: 4 * gigabyte, of: "this host" },
  files: { open: 2_000, max: 100_000 },
  daemon: { pid: 7, residentBytes: 90 * megabyte, descriptors: { open: 60, max: 1024 } },
};
