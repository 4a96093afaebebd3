import type { World } from "../support/world.ts";

/** One fault, as data: what is done to a cluster while it is written to, and what Perch promises for it. */
export interface Fault {
  name: string;
  /** Whether an acknowledged row may be missing afterwards. */
  rows: "kept" | "may be lost";
  /**
   * The longest time in which nothing may be acknowledged, in milliseconds: many times what it takes on a quiet
   * machine.
   */
  withinMs: number;
  /** No client may notice: not one query or connection may fail. */
  unnoticed?: true;
  /**
   * A server dies of it. Before it comes a perchd that has seen none die: after the third within a minute Perch acts
   * otherwise, which is a fault of its own.
   */
  crash?: true;
  /** How often in the short form; once where nothing is said. */
  times?: number;
  /** It takes long, and is left to the long form. */
  long?: true;
  /** The load ends with it, and is begun anew. */
  endsLoad?: true;
  act(world: World, round: number): Promise<unknown>;
}

/** In the long form every fault is repeated so often. */
const rounds = Number(process.env["FAULT_ROUNDS"] ?? 1);
export const timesOf = (fault: Fault): number => Math.max(rounds, fault.times ?? 1);

/** What this form has of them, as `it.each` takes it. */
export const cases = (faults: readonly Fault[]): [string, Fault][] =>
  faults.filter(({ long }) => rounds > 1 || long !== true).map((fault) => [fault.name, fault]);
