import { randomBytes } from "node:crypto";
import { fail } from "../../errors/error.ts";
import { machineAddress } from "../../model/address.ts";
import type { MachineRecord, ProcessIdentity } from "../../model/records.ts";
import { findRegion, type Region } from "../../model/region.ts";
import type { Deps } from "../deps.ts";

/** 14 hex digits, as Fly.io's machine ids. */
const randomMachineId = (): string => randomBytes(7).toString("hex");

/** Records of machines still to be made, with numbers and addresses never used before. */
export async function newMachines(
  { state, prefix }: Pick<Deps, "state" | "prefix">,
  app: string,
  region: string,
  count: number,
): Promise<MachineRecord[]> {
  const place = placeOf(region);
  const network = await state.network.update({}, (record) => ({ ...record, nextMachine: record.nextMachine + count }));
  if (network === undefined) throw fail("internal", { why: "the network has no record" });
  return Array.from({ length: count }, (_, index) =>
    newMachine(prefix, app, place, network.nextMachine - count + index, "postgres"),
  );
}

/**
 * The machine of a run: its number and its record in one transaction, for commands start more often than clusters are
 * made.
 */
export async function newRun(
  { state, prefix }: Pick<Deps, "state" | "prefix">,
  app: string,
  region: string,
  holder: ProcessIdentity,
): Promise<MachineRecord> {
  const place = placeOf(region);
  for (;;) {
    const seen = await state.network.see({});
    if (seen === undefined) throw fail("internal", { why: "the network has no record" });
    const { record } = seen;
    const machine: MachineRecord = { ...newMachine(prefix, app, place, record.nextMachine, "run"), process: holder };
    const writes = [state.network.put({ ...record, nextMachine: record.nextMachine + 1 }), state.machines.put(machine)];
    if ((await state.commit([state.network.still(seen)], writes)).done) return machine;
  }
}

function placeOf(region: string): Region {
  const place = findRegion(region);
  if (place === undefined) throw fail("region_invalid", { region, hint: "" });
  return place;
}

const newMachine = (
  prefix: string,
  app: string,
  place: Region,
  number: number,
  kind: MachineRecord["kind"],
): MachineRecord => ({
  id: randomMachineId(),
  app,
  kind,
  region: place.code,
  number,
  address: machineAddress(prefix, place, number),
  phase: kind === "run" ? "ready" : "creating",
  wanted: "started",
  createdAt: new Date().toISOString(),
});
