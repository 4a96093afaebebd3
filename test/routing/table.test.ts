import { describe, expect, it } from "vitest";
import type { Override } from "../../src/cluster/context.ts";
import { addressesOf, relayTargets, resolversOf, routesOf, serversOf, zoneOf } from "../../src/routing/table.ts";
import type { ClusterView } from "../../src/cluster/view.ts";
import { cluster, down, leading, member, streaming } from "../reconcile/world.ts";

const leader = member("a1", leading, { record: { address: "fdaa:1:2:1::10", portablePort: 4001 } });
const replica = member("l1", streaming, { record: { address: "fdaa:1:2:c::11" } });
const overrides = new Map<string, Override>();
const apps = [
  { name: "pg", kind: "cluster" as const, primaryRegion: "ams", createdAt: "2026-11-24T06:00:00.000Z" },
  { name: "web", kind: "app" as const, createdAt: "2026-11-24T06:00:00.000Z" },
];
const run = { ...replica.record, id: "r1", app: "web", kind: "run" as const, address: "fdaa:1:2:c::12" };

describe("serversOf", () => {
  it("names every member, running or not, and the pooler, and no run", () => {
    const view = cluster([leader, member("l1", down, { record: { address: "fdaa:1:2:c::11" } })]);
    const pooled = {
      ...view,
      cluster: { ...view.cluster, pool: { address: "fdaa:1:2:1::20" } as NonNullable<typeof view.cluster.pool> },
    };
    expect(serversOf({ views: [pooled] })).toEqual(["fdaa:1:2:1::10", "fdaa:1:2:c::11", "fdaa:1:2:1::20"]);
  });
});

describe("routesOf", () => {
  it("leads every member to the leader", () => {
    expect([...routesOf({ views: [cluster([leader, replica])], overrides }).leaders]).toEqual([
      ["fdaa:1:2:1::10", "fdaa:1:2:1::10"],
      ["fdaa:1:2:c::11", "fdaa:1:2:1::10"],
    ]);
  });
  it.each([
    ["a leader that does not run", member("a1", down)],
    ["a leader that does not answer", member("a1", { ...leading, answers: false })],
    ["a leader that is still in recovery", member("a1", { ...leading, recovering: true })],
  ])("holds every member for %s, which the map goes on to name for when the hold ends by itself", (_title, broken) => {
    const { leaders, held } = routesOf({ views: [cluster([broken, replica])], overrides });
    expect(held.size).toBe(2);
    expect([...leaders.values()]).toEqual([broken.record.address, broken.record.address]);
  });
  it("leads nowhere where no leader is to be expected", () => {
    const stopped = member("a1", down, { record: { wanted: "stopped" } });
    expect(routesOf({ views: [cluster([stopped, replica])], overrides }).leaders.size).toBe(0);
  });
  it("holds connections while the leader is on its way, and refuses them where none is to be expected", () => {
    const held = (views: ClusterView[]) => [...routesOf({ views, overrides }).held];
    expect(held([cluster([member("a1", down, { record: { address: "fdaa:1:2:1::10" } }), replica])])).toEqual([
      "fdaa:1:2:1::10",
      "fdaa:1:2:c::11",
    ]);
    expect(held([cluster([member("a1", down, { record: { wanted: "stopped" } }), replica])])).toEqual([]);
    expect(
      held([cluster([member("a1", down, { trouble: { step: "start", why: "no", attempts: 3, until: 0 } }), replica])]),
    ).toEqual([]);
  });
  it("follows a change of leadership rather than the last look", () => {
    const at = (override: Override) =>
      routesOf({ views: [cluster([leader, replica])], overrides: new Map([["pg", override]]) });
    expect(at("held").held.size).toBe(2);
    expect([...at("held").leaders.values()]).toEqual(["fdaa:1:2:1::10", "fdaa:1:2:1::10"]);
    expect([...at(replica.record).leaders.values()]).toEqual(["fdaa:1:2:c::11", "fdaa:1:2:c::11"]);
  });
});

describe("relayTargets", () => {
  it("names the leader's own port, and nothing while there is no leader", () => {
    const target = (views: ClusterView[]) => relayTargets({ views, overrides }).get("pg");
    expect(target([cluster([leader, replica])])).toBe(4001);
    expect(target([cluster([member("a1", down)])])).toBe("held");
    expect(target([cluster([member("a1", down, { record: { wanted: "stopped" } })])])).toBeUndefined();
  });
});

describe("addressesOf", () => {
  it("holds the resolvers, every member and every run", () => {
    const addresses = addressesOf({
      prefix: "fdaa:1:2",
      apps,
      peers: [],
      runs: [run],
      overrides,
      views: [cluster([leader, replica])],
    });
    expect(addresses).toEqual([...resolversOf("fdaa:1:2"), "fdaa:1:2:1::10", "fdaa:1:2:c::11", "fdaa:1:2:c::12"]);
    expect(new Set(addresses).size).toBe(addresses.length);
  });
});

describe("zoneOf", () => {
  const zone = zoneOf({
    prefix: "fdaa:1:2",
    apps,
    peers: [{ name: "laptop", publicKey: "", address: "fdaa:1:2::a:1", createdAt: "" }],
    runs: [run],
    overrides,
    views: [cluster([leader, replica, member("x1", leading, { record: { phase: "creating" } })])],
  });
  it("names members of clusters that are ready, with role and health, and none that is half made", () => {
    const machines = zone.apps.find((app) => app.name === "pg")?.machines ?? [];
    expect(machines.map(({ id, role, state, healthy }) => ({ id, role, state, healthy }))).toEqual([
      { id: "a1", role: "leader", state: "started", healthy: true },
      { id: "l1", role: "replica", state: "started", healthy: true },
    ]);
  });
  it("takes one that is wanted stopped for not well while it still answers, so that its names are gone first", () => {
    const leaving = member("l1", streaming, { record: { address: "fdaa:1:2:c::11", wanted: "stopped" } });
    const { apps: shown } = zoneOf({
      prefix: "fdaa:1:2",
      apps,
      peers: [],
      runs: [],
      overrides,
      views: [cluster([leader, leaving])],
    });
    expect(shown[0]?.machines.map(({ id, state, healthy }) => ({ id, state, healthy }))).toEqual([
      { id: "a1", state: "started", healthy: true },
      { id: "l1", state: "started", healthy: false },
    ]);
  });
  it("names the runs of an app", () => {
    expect(zone.apps.find((app) => app.name === "web")?.machines.map((machine) => machine.address)).toEqual([
      "fdaa:1:2:c::12",
    ]);
  });
});
