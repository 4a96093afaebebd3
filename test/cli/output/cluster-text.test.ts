import { describe, expect, it } from "vitest";
import type { Cluster, Member, Status } from "../../../src/api/schemas.ts";
import { clusterState, clusterText, statusText } from "../../../src/cli/output/cluster-text.ts";

const leader: Member = {
  id: "m1",
  region: "ams",
  role: "leader",
  address: "fdaa:1:2:1::10",
  port: 5433,
  state: "started",
  pid: 7,
  lagBytes: 0,
};
const replica: Member = {
  ...leader,
  id: "m2",
  region: "lhr",
  role: "replica",
  address: "fdaa:1:2:c::11",
  state: "streaming",
  pid: 8,
  lagBytes: 2048,
};
const cluster: Cluster = {
  name: "pg",
  version: "18.4",
  primaryRegion: "ams",
  phase: "ready",
  host: "pg.internal",
  port: 5432,
  synchronous: "off",
  pool: null,
  members: [leader, replica],
  attachments: [],
};

describe("the state of a cluster in a word", () => {
  it.each<[string, Partial<Cluster>]>([
    ["ready", {}],
    ["creating", { phase: "creating" }],
    ["leader failed", { members: [{ ...leader, state: "failed" }, replica] }],
    ["no leader", { members: [replica] }],
    ["1 of 1 replicas not streaming", { members: [leader, { ...replica, state: "starting" }] }],
  ])("%s", (state, change) => {
    expect(clusterState({ ...cluster, ...change })).toBe(state);
  });
});

describe("a cluster for people", () => {
  it("shows members with their lag, notes below them, and who is attached", () => {
    const text = clusterText({
      ...cluster,
      members: [leader, { ...replica, state: "failed", lagBytes: null, note: "its disk is full" }],
      attachments: [{ app: "web", database: "web", user: "web", variable: "DATABASE_URL", connectionLimit: 99 }],
    });
    expect(text).toMatch(
      /^Cluster pg: 1 of 1 replicas not streaming; PostgreSQL 18\.4, primary region ams, pg\.internal:5432\n/,
    );
    expect(text).toMatch(/m1 +ams +leader +started +fdaa:1:2:1::10 +5433 +-\n/);
    expect(text).toMatch(/m2 +lhr +replica +failed +\S+ +5433 +unknown\n {2}m2: its disk is full\n/);
    expect(text).toMatch(/web +web +web +DATABASE_URL +99$/);
  });

  it("stands in the status, which says how to begin where there is none", () => {
    const status: Status = {
      network: { name: "default", prefix: "fdaa:1:2::/48", mode: "user", resolver: "fdaa:1:2::3" },
      daemon: {
        pid: 5,
        version: "0.1.0",
        since: "2026-11-24T06:30:00.000Z",
        home: "/h",
        memoryBytes: 92 * 1024 ** 2,
        loopDelay: { p99: 1.2, max: 31.4 },
      },
      warnings: [],
      clusters: [],
      apps: [{ name: "web", runs: 2 }],
    };
    expect(statusText(status)).toBe(
      "Network default: fdaa:1:2::/48, in a user namespace\nperchd 5: version 0.1.0, since 2026-11-24 06:30:00 UTC, state in /h\nperchd: 92.0 MB resident, event loop delayed by at most 31 ms in the last two minutes\n\nNo clusters yet. Create one with: perch postgres create --name pg --region ams\n\nAPP  RUNS\nweb  2",
    );
    expect(statusText({ ...status, network: { ...status.network, mode: "portable" } })).not.toContain("fdaa");
    expect(statusText({ ...status, clusters: [cluster] })).toContain("Cluster pg: ready");
    const warning = {
      what: "slots",
      subject: "pg",
      thing: "m1",
      level: "warn",
      used: 14,
      limit: 16,
      sentence: "14 of 16",
      next: "perch x",
    } as const;
    expect(statusText({ ...status, warnings: [warning] })).toMatch(
      /web {2}2\n\nWarnings\n {2}14 of 16\n {4}→ perch x$/,
    );
  });
});
