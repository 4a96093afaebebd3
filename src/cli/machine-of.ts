import { fail } from "../errors/error.ts";
import type { Answer } from "../client/client.ts";
import type { Daemon, Flag } from "./command.ts";

/**
 * Machines are named by their id alone; `-a` beside it must agree, so that a slip of the hand does not stop another
 * cluster's machine.
 */
export const ofAppFlag = {
  type: "string",
  short: "a",
  value: "APP",
  summary: "The app or cluster it must belong to",
} as const satisfies Flag;

export async function machineOf(
  daemon: Daemon,
  id: string,
  app: string | undefined,
): Promise<Answer<"listMachines">[number]> {
  const machines = await daemon.call("listMachines", { query: app === undefined ? {} : { app } });
  const machine = machines.find((candidate) => candidate.id === id);
  if (machine === undefined) throw fail("machine_not_found", { machine: id.slice(0, 80) });
  return machine;
}
