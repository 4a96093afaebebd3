import type { Warning } from "../capacity/facts.ts";
import type { KernelKeeper } from "../network/kernel/supervisor.ts";

/** A process of ours that does not answer, and what is done about it. */
export interface Silent {
  thing: string;
  sentence: string;
}

/** What of the network is broken as of now, for `status` and `doctor`: asking is the beginning of setting it right. */
export async function brokenNow(
  kernel: KernelKeeper | undefined,
  silent: () => Promise<readonly Silent[]>,
): Promise<Warning[]> {
  const [faults = [], quiet] = await Promise.all([kernel?.look(), silent()]);
  return [
    ...faults.map(({ name, sentence }) => warning("kernel", name, sentence)),
    ...quiet.map(({ thing, sentence }) => warning("process", thing, sentence)),
  ];
}

const warning = (what: "kernel" | "process", thing: string, sentence: string): Warning => ({
  what,
  subject: "network",
  thing,
  level: "fail",
  used: 1,
  limit: 1,
  sentence,
  next: "perch events",
});
