import { freePort } from "../host/sockets/ports.ts";
import type { MachineRecord } from "../model/records.ts";
import type { Context } from "../cluster/context.ts";

/**
 * In portable mode a member listens on a port of localhost: its own of old where that is free, else a new one.
 * Elsewhere nothing is to choose.
 */
export async function choosePorts(
  { place, state }: Pick<Context, "place" | "state">,
  machine: MachineRecord,
): Promise<MachineRecord> {
  if (place.mode !== "portable") return machine;
  const kept = machine.portablePort === undefined ? undefined : await freePort(machine.portablePort);
  const portablePort = kept ?? (await freePort());
  if (portablePort === undefined || portablePort === machine.portablePort) return machine;
  return (await state.machines.update(machine, (record) => ({ ...record, portablePort }))) ?? machine;
}
