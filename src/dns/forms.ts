import { findRegion } from "../model/region.ts";
import { byDistance, nearestFirst } from "./nearest.ts";
import type { Outcome } from "./records.ts";
import type { ZoneApp, ZoneMachine } from "./zone-data.ts";

/**
 * The names below an app: `top1.nearest.of.pg.internal`, `vms.pg.internal` and so on. A form that could have machines
 * and has none is a known name with an empty answer; a machine, group or metadata pair that is nowhere is no name at
 * all.
 */

export interface AppZone {
  app: ZoneApp;
  defaultRegion: string;
}

/** `labels` stand before the app's, lower-case; undefined is NXDOMAIN. */
export function appAnswer(
  { app, defaultRegion }: AppZone,
  labels: readonly string[],
  region: string | undefined,
): Outcome | undefined {
  const origin = region ?? app.primaryRegion ?? defaultRegion;
  const among = (machines: readonly ZoneMachine[], first = Infinity): Outcome => ({
    known: true,
    aaaa: nearestFirst(machines, origin)
      .slice(0, first)
      .map((machine) => machine.address),
  });
  const some = (machines: readonly ZoneMachine[]) => (machines.length === 0 ? undefined : among(machines));
  const where = (holds: (machine: ZoneMachine) => boolean) => app.machines.filter(holds);

  const form = labels.at(-1);
  const before = labels.slice(0, -1);
  if (form === undefined) return oneMember(where(isMember), origin) ?? among(app.machines);
  if (form === "vm")
    return before.length === 0 ? exists : some(where((machine) => machine.id.toLowerCase() === before.join(".")));
  if (form === "process")
    return before.length === 0 ? exists : some(where((machine) => machine.group?.toLowerCase() === before.join(".")));
  if (form === "_metadata") {
    if (before.length === 0) return exists;
    if (before.at(-1) !== "kv") return undefined;
    const pair = before.slice(0, -1).join(".");
    return pair === "" ? exists : metadata(app.machines, pair, some);
  }
  if (form === "of") return nearest(before, (first) => among(app.machines, first));
  if (form === "vms")
    return listed(before, app.machines, (machines) => machines.map((machine) => `${machine.id} ${machine.region}`));
  if (form === "regions")
    return listed(before, app.machines, (machines) =>
      [...new Set(machines.map((machine) => machine.region))].toSorted(),
    );
  if (before.length > 0) return undefined;
  if (form === "global") return among(app.machines);
  if (form === "leader")
    return (
      oneMember(
        where((machine) => machine.role === form),
        origin,
      ) ?? exists
    );
  if (form === "replica") return among(where((machine) => machine.role === form));
  return findRegion(form) === undefined
    ? some(where((machine) => machine.region === form))
    : among(where((machine) => machine.region === form));
}

/** A run of a cluster's app has no role. */
const isMember = (machine: ZoneMachine): boolean => machine.role !== undefined;

/**
 * A cluster's own name has one address, because 5432 of every member leads to the leader. A client tries each address
 * of a name in turn: it would send a wrong password once per member, and some clients then hide the server's own words.
 * It is the nearest well member. Where no member is well, it is the leader, whose port then holds or refuses the
 * connection. Undefined where the app has no member (docs/decisions/0029-one-address-for-a-cluster.md).
 */
function oneMember(members: readonly ZoneMachine[], origin: string): Outcome | undefined {
  const one =
    nearestFirst(members, origin)[0] ??
    members.find((member) => member.role === "leader") ??
    byDistance(members, origin)[0];
  return one === undefined ? undefined : { known: true, aaaa: [one.address] };
}

const exists: Outcome = { known: true };

/** `<value>.<key>`, either of which may hold dots; a key alone is a name only as the parent of its values. */
function metadata(
  machines: readonly ZoneMachine[],
  pair: string,
  some: (machines: readonly ZoneMachine[]) => Outcome | undefined,
): Outcome | undefined {
  const pairs = (machine: ZoneMachine) =>
    Object.entries(machine.metadata ?? {}).map(([key, value]) => `${value}.${key}`.toLowerCase());
  const found = some(machines.filter((machine) => pairs(machine).includes(pair)));
  return (
    found ?? (machines.some((machine) => pairs(machine).some((each) => each.endsWith(`.${pair}`))) ? exists : undefined)
  );
}

/** `top<N>.nearest.of`: the N nearest, fewer where there are fewer. */
function nearest(before: readonly string[], top: (first: number) => Outcome): Outcome | undefined {
  if (before.length === 0 || (before.length === 1 && before[0] === "nearest")) return exists;
  const count =
    before.length === 2 && before[1] === "nearest" ? /^top([1-9]\d{0,3})$/.exec(before[0] ?? "")?.[1] : undefined;
  return count === undefined ? undefined : top(Number(count));
}

/** The started machines as one TXT, items parted by commas; with `all.` before it, the stopped ones, too. */
function listed(
  before: readonly string[],
  machines: readonly ZoneMachine[],
  items: (machines: ZoneMachine[]) => string[],
): Outcome | undefined {
  const all = before[0] === "all";
  if (before.length > 1 || (before.length === 1 && !all)) return undefined;
  const txt = items(machines.filter((machine) => all || machine.state === "started")).join(",");
  return txt === "" ? exists : { known: true, txt };
}
