/**
 * What the network should show: addresses, names and routes, as a whole, from the records and what the loops found. Pure; `publish.ts` sets it.
 */
import { resolvers } from "../dns/resolvers.ts";
import type { ZoneData, ZoneMachine } from "../dns/zone-data.ts";
import type { AppRecord, MachineRecord } from "../model/records.ts";
import type { RouteTable } from "../network/rules.ts";
import { type ClusterView, leaderOf, leads } from "./view.ts";

export interface Shown {
  prefix: string;
  apps: readonly AppRecord[];
  /** Runs of apps; members of clusters come with their views. */
  runs: readonly MachineRecord[];
  views: readonly ClusterView[];
}

/** The addresses the name server answers at. They never change, so it binds them once. */
export const resolversOf = (prefix: string): string[] => resolvers(prefix).map(({ address }) => address);

export function addressesOf({ prefix, runs, views }: Shown): string[] {
  const machines = [...views.flatMap((view) => view.members.map((member) => member.record)), ...runs];
  return [...resolversOf(prefix), ...machines.map((machine) => machine.address)];
}

/** Every member's address → the leader's; members of a cluster that has no working leader are left out. */
export function routesOf(views: readonly ClusterView[]): RouteTable {
  const routes = new Map<string, string>();
  for (const view of views) {
    const leader = leaderOf(view);
    if (leader === undefined || !leads(leader)) continue;
    for (const member of view.members) routes.set(member.record.address, leader.record.address);
  }
  return routes;
}

/** Portable mode: cluster → the port of its leader on localhost, undefined while it has no working one. */
export function relayTargets(views: readonly ClusterView[]): Map<string, number | undefined> {
  return new Map(
    views.map((view) => {
      const leader = leaderOf(view);
      return [view.cluster.app, leader !== undefined && leads(leader) ? leader.record.portablePort : undefined];
    }),
  );
}

export function zoneOf({ prefix, apps, runs, views }: Shown): ZoneData {
  const members = new Map(views.map((view) => [view.cluster.app, view]));
  return {
    prefix,
    defaultRegion: apps.find((app) => app.primaryRegion !== undefined)?.primaryRegion ?? "ams",
    peers: [],
    apps: apps.map((app) => ({
      name: app.name,
      ...(app.primaryRegion === undefined ? {} : { primaryRegion: app.primaryRegion }),
      machines: [...membersOf(members.get(app.name)), ...runs.filter((run) => run.app === app.name).map(runMachine)],
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
      healthy: facts.answers,
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
