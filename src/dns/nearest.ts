import { parseAddress } from "../model/address.ts";
import { distance, findRegion } from "../model/region.ts";
import type { ZoneMachine } from "./zone-data.ts";

/** Healthy started machines, by distance. */
export const nearestFirst = (machines: readonly ZoneMachine[], origin: string): ZoneMachine[] =>
  byDistance(
    machines.filter((machine) => machine.state === "started" && machine.healthy),
    origin,
  );

/**
 * Nearest first as seen from a region; within one distance the leader first, then by address. Always the same for the
 * same machines.
 */
export function byDistance(machines: readonly ZoneMachine[], origin: string): ZoneMachine[] {
  return machines
    .map((machine) => ({ machine, away: away(origin, machine.region), address: sortable(machine.address) }))
    .toSorted(
      (a, b) => a.away - b.away || leaderFirst(a.machine) - leaderFirst(b.machine) || (a.address < b.address ? -1 : 1),
    )
    .map(({ machine }) => machine);
}

const leaderFirst = (machine: ZoneMachine): number => (machine.role === "leader" ? 0 : 1);

/** Kilometres. A region that is not known is beyond all others, itself excepted. */
function away(from: string, to: string): number {
  if (from === to) return 0;
  const [here, there] = [findRegion(from), findRegion(to)];
  return here === undefined || there === undefined ? 100_000 : distance(here, there);
}

const sortable = (address: string): string =>
  (parseAddress(address) ?? []).map((group) => group.toString(16).padStart(4, "0")).join("");
