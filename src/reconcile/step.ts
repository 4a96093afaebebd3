/** The steps a plan may hold. Those of one plan touch different things, so they run side by side. */
import { type ConcernStep, concernKey, type MemberRestart } from "../cluster/concern.ts";
import type { Change } from "../cluster/situation.ts";

export type Step =
  /** initdb, the first start, the roles Perch needs: a leader with nothing in it. */
  | { do: "initialise"; machine: string }
  /** A base backup of the leader, beside the data where there is some. */
  | { do: "copy"; machine: string }
  | { do: "start"; machine: string }
  | { do: "stop"; machine: string; mode: "fast" | "immediate" }
  | MemberRestart
  /** A signal that stopped its processes is taken back. */
  | { do: "resume"; machine: string }
  /** A replica whose WAL receiver does not come back and does not say why is restarted. */
  | { do: "reconnect"; machine: string }
  /**
   * The data of a former leader, or of a replica that somebody promoted, is taken back to where it parted from the
   * leader's.
   */
  | { do: "rewind"; machine: string }
  /** A whole copy is put in place; what it replaces is kept. */
  | { do: "swap"; machine: string }
  /** What a copy replaced is removed: the copy streams. */
  | { do: "discard"; machine: string }
  /** A switchover or failover. */
  | { do: "lead"; change: Change }
  /** A change of leader that was asked for is not done. */
  | { do: "withdraw" }
  /** Whom the leader waits for before it acknowledges a commit. */
  | { do: "synchronise"; names: readonly string[] }
  /** Write the files anew and have the server read them. */
  | { do: "configure"; machine: string }
  /**
   * The settings are those of the last start again: with the new ones a member did not start, and with these it runs.
   */
  | { do: "take-back" }
  /** Perch's own roles and its database, as it made them. */
  | { do: "restore-roles"; machine: string }
  /** creating → ready. */
  | { do: "accept"; machine: string }
  /** The data directory, then the record. */
  | { do: "remove"; machine: string }
  /** Of the leader. One that is lost is dropped and made again. */
  | { do: "slots"; create: readonly string[]; drop: readonly string[] }
  /** Slots of Perch's that a former leader kept. */
  | { do: "unslot"; machine: string; drop: readonly string[] }
  /** The cluster: creating → ready. */
  | { do: "open" }
  /** Every record of a cluster whose members are gone. */
  | { do: "forget" }
  /** Of what a cluster has beside its members. */
  | ConcernStep;

/** What is to be done, and why. */
export interface Reason {
  step: Step;
  because: string;
}

export interface Plan {
  /** What is done and why; when nothing is, how things stand. */
  sentence: string;
  steps: Step[];
}

/** What a step touches: while one is under way, no other on the same thing begins. */
export function touches(step: Step): string {
  switch (step.do) {
    case "concern":
      return concernKey(step.concern, step.thing);
    case "slots":
    case "lead":
    case "withdraw":
    case "synchronise":
    case "take-back":
    case "open":
    case "forget":
      return "cluster";
    default:
      return step.machine;
  }
}

/** When a step that restarts a replica because it did not stream was last begun on it. */
export const triedKey = (machine: string, step: "reconnect" | "rewind"): string => `${machine} tried ${step}`;

/** As it is called in a sentence: "grant of attachment web DATABASE_URL failed". */
export const nameOf = (step: Step): string => (step.do === "concern" ? step.what : step.do);
