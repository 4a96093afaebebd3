/**
 * What the network should show: addresses, names and routes, as a whole, from the records and what the loops found.
 * Pure; `publish.ts` sets it.
 */
import { resolvers } from "../dns/resolvers.ts";
import type { ZoneData, ZoneMachine } from "../dns/zone-data.ts";
import type { AppRecord, MachineRecord, PeerRecord } from "../model/records.ts";
import type { RouteTable } from "../network/rules.ts";
import type { Override } from "../cluster/context.ts";
import { type ClusterView, expectsLeader, leaderOf, leads } from "../cluster/view.ts";

export interface Shown {
  prefix: string;
  apps: readonly AppRecord[];
  /** Those who may join by WireGuard. */
  peers: readonly PeerRecord[];
  /** Runs of apps; members of clusters come with their views. */
  runs: readonly MachineRecord[];
  views: readonly ClusterView[];
  /** Cluster → where its connections lead while its leadership changes. */
  overrides: ReadonlyMap<string, Override>;
}

/** The addresses the name server answers at. They never change, so it binds them once. */
export const resolversOf = (prefix: string): string[] => resolvers(prefix).map(({ address }) => address);

export const addressesOf = ({ prefix, runs, views }: Shown): string[] => [
  ...resolversOf(prefix),
  ...serversOf({ views }),
  ...runs.map((machine) => machine.address),
];

/** Where servers and poolers listen, or will. */
export const serversOf = ({ views }: Pick<Shown, "views">): string[] => [
  ...views.flatMap((view) => view.members.map((member) => member.record.address)),
  ...views.flatMap((view) => (view.cluster.pool === undefined ? [] : [view.cluster.pool.address])),
];

/**
 * Every member's address → the leader's. While a change of leadership is under way it says where they lead, for the
 * views are older than it is. Where there is no leader but will be one, connections are held. The map names the last
 * leader all the same: a hold that ends by itself, because perchd is gone, leads to it.
 */
export function routesOf({ views, overrides }: Pick<Shown, "views" | "overrides">): RouteTable {
  const pools = new Map<string, string>();
  const leaders = new Map<string, string>();
  const held = new Set<string>();
  for (const view of views) {
    const target = targetOf(view, overrides.get(view.cluster.app));
    const { pool } = view.cluster;
    const members = view.members.map(({ record }) => record.address);
    if (pool !== undefined) for (const address of members) pools.set(address, pool.address);
    for (const address of [...members, ...(pool === undefined ? [] : [pool.address])]) {
      const to = target === "held" ? leaderOf(view)?.record : target;
      if (to !== undefined) leaders.set(address, to.address);
      if (target === "held") held.add(address);
    }
  }
  return { leaders, held, pools };
}

/**
 * Portable mode: cluster → the port of its leader on localhost, "held" while it has none and will have one, undefined
 * while it has none.
 */
export function relayTargets({
  views,
  overrides,
}: Pick<Shown, "views" | "overrides">): Map<string, number | "held" | undefined> {
  return new Map(
    views.map((view) => {
      const target = targetOf(view, overrides.get(view.cluster.app));
      return [view.cluster.app, typeof target === "object" ? target.portablePort : target];
    }),
  );
}

function targetOf(view: ClusterView, override: Override | undefined): MachineRecord | "held" | undefined {
  if (override !== undefined) return override;
  const leader = leaderOf(view);
  if (leader !== undefined && leads(leader)) return leader.record;
  return expectsLeader(view) ? "held" : undefined;
}

export function zoneOf({ prefix, apps, peers, runs, views }: Shown): ZoneData {
  const members = new Map(views.map((view) => [view.cluster.app, view]));
  const running = new Map<string, ZoneMachine[]>();
  for (const run of runs) {
    const others = running.get(run.app);
    if (others === undefined) running.set(run.app, [runMachine(run)]);
    else others.push(runMachine(run));
  }
  return {
    prefix,
    defaultRegion: apps.find((app) => app.primaryRegion !== undefined)?.primaryRegion ?? "ams",
    peers: peers.map(({ name, address }) => ({ name, address })),
    apps: apps.map((app) => ({
      name: app.name,
      ...(app.primaryRegion === undefined ? {} : { primaryRegion: app.primaryRegion }),
      machines: [...membersOf(members.get(app.name)), ...(running.get(app.name) ?? [])],
    })),
  };
}

function membersOf(view: ClusterView | undefined): ZoneMachine[] {
  if (view === undefined) return [];
  return view.members
    .filter(({ record }) => record.phase === "ready")
    .map(({ record, facts }) => ({
      id: record.id,
      region: record.region,
      address: record.address,
      state: facts.running ? "started" : "stopped",
      // One that is wanted stopped leaves its names before it stops.
      healthy: facts.answers && record.wanted === "started",
      role: record.id === view.cluster.leader ? "leader" : "replica",
      group: "postgres",
    }));
}

const runMachine = (record: MachineRecord): ZoneMachine => ({
  id: record.id,
  region: record.region,
  address: record.address,
  state: "started",
  healthy: true,
  group: "app",
});
