/**
 * Who ended without being told to. Three deaths within a minute are a crash loop; a server that a user, a switchover or
 * a changed setting stopped and started is none, however often. Only a life that this perchd has seen can end: what it
 * finds dead when it starts, after a reboot or a `perch down`, tells nothing.
 */
import type { Step } from "./step.ts";

export interface Deaths {
  /** A look at a member. `planned`: it may be ended on purpose just now. Gives its deaths within the last minute. */
  look(machine: string, seen: { running: boolean; planned: boolean }, now: number): readonly number[];
  /** A step begins: what it ends does not die. */
  begun(step: Step): void;
  /** A step succeeded: what it started lives, though it may be dead before anyone looks. */
  done(step: Step): void;
}

/** A death longer ago tells nothing about a crash loop. */
const recentMs = 60_000;

export function deathRegister(): Deaths {
  const living = new Set<string>();
  const deaths = new Map<string, readonly number[]>();
  return {
    look(machine, { running, planned }, now) {
      const died = !planned && !running && living.has(machine);
      const recent = [...(deaths.get(machine) ?? []), ...(died ? [now] : [])].filter((at) => now - at < recentMs);
      deaths.set(machine, recent);
      if (!running) living.delete(machine);
      else if (!planned) living.add(machine);
      return recent;
    },
    begun(step) {
      for (const machine of ended(step)) living.delete(machine);
    },
    done(step) {
      for (const machine of started(step)) living.add(machine);
    },
  };
}

const ending: ReadonlySet<Step["do"]> = new Set<Step["do"]>([
  "start",
  "stop",
  "restart",
  "reconnect",
  "rewind",
  "swap",
  "remove",
]);
const starting: ReadonlySet<Step["do"]> = new Set<Step["do"]>(["start", "restart", "reconnect"]);

/** Whom a step may end. */
function ended(step: Step): string[] {
  if (step.do === "lead") return [step.change.from, ...step.change.candidates];
  return ending.has(step.do) && "machine" in step ? [step.machine] : [];
}

/** Whom it leaves running. */
const started = (step: Step): string[] => (starting.has(step.do) && "machine" in step ? [step.machine] : []);
