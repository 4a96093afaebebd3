import type { Warning } from "../capacity/facts.ts";
import type { KernelKeeper } from "../network/kernel/supervisor.ts";

/** A process that does not answer, or what cannot be set; and what is done about it. */
export interface Silent {
  thing: string;
  sentence: string;
}

/** What of the network is broken as of now, for `status` and `doctor`: asking is the beginning of setting it right. */
export async function brokenNow(
  kernel: KernelKeeper | undefined,
  silent: () => Promise<readonly Silent[]>,
  troubles: () => readonly Silent[],
  doors: () => readonly { app: string; why: string }[],
): Promise<Warning[]> {
  const [faults = [], quiet] = await Promise.all([kernel?.look(), silent()]);
  return [
    ...faults.map(({ name, sentence }) => warning("kernel", name, sentence)),
    ...quiet.map(({ thing, sentence }) => warning("process", thing, sentence)),
    ...troubles().map(({ thing, sentence }) => warning("network", thing, sentence)),
    ...doors().map(({ app, why }) => ({
      ...warning("network", "the public door", `the public door of ${app} is closed: ${why}; it is tried again`),
      subject: app,
    })),
  ];
}

const warning = (what: "kernel" | "process" | "network", thing: string, sentence: string): Warning => ({
  what,
  subject: "network",
  thing,
  level: "fail",
  used: 1,
  limit: 1,
  sentence,
  next: "perch events",
});
