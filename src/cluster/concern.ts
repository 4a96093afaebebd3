import type { PerchError } from "../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import type { Session } from "../postgres/sql/session.ts";
import type { Context } from "./context.ts";
import type { ClusterView, Progress } from "./view.ts";

/** A step of a concern. It says which one it belongs to and what it touches; the rest is the concern's own. */
export interface ConcernStep {
  readonly do: "concern";
  readonly concern: string;
  /** What is done: "grant". */
  readonly what: string;
  /** While a step on it is under way, or waits after a failure, no other on the same thing begins. */
  readonly thing: string;
}

/** What a concern may have done with a member; it is told when that fails. */
export interface MemberRestart {
  readonly do: "restart";
  readonly machine: string;
  /** The concern; absent where the loop wants it for the member's own sake. */
  readonly of?: string;
}

/** What is to be done, and the sentence why. */
export interface Due<S> {
  step: S;
  because: string;
}

/** What a look at a cluster gives a concern beside its record. */
export interface Sight {
  machines: readonly MachineRecord[];
  /**
   * Since when that holds of a thing of the concern's, milliseconds since the epoch; undefined while it does not, or a
   * step on the thing is under way.
   */
  since(thing: string, what: string, holds: boolean): number | undefined;
}

/**
 * Something a cluster has beside its members: attachments, say. What is wanted is in the store; the loop makes it so,
 * and goes on with it after `kill -9`. `S`: its steps; `F`: what it finds.
 */
export interface Concern<S extends ConcernStep, F> {
  readonly name: S["concern"];
  /**
   * Looks, and changes no record, no file and no process. `leader`: a session of Perch's own there, where it answers.
   */
  observe(context: Context, cluster: ClusterRecord, leader: Session | undefined, sight: Sight): Promise<F>;
  /** Pure. `facts` is undefined in a view of a cluster that was not looked at yet. */
  plan(view: ClusterView, facts: F | undefined): Due<S | MemberRestart>[];
  /** Does a step; may be repeated. Rejects with an error of the register. */
  apply(step: S, context: Context, view: ClusterView): Promise<void>;
  /**
   * A step failed: what a half-made wish leaves is marked to be taken away. Gives false where it is tried again
   * instead.
   */
  undo(step: S, context: Context, why: PerchError): Promise<boolean>;
  /** The same where a restart that it had done with a member failed: the member itself is started again in any case. */
  failed?(step: MemberRestart, context: Context, why: PerchError): Promise<void>;
  /** Pure. Absent: an event tells of everything, and a perchd that starts waits for nothing of it. */
  progress?(view: Unjudged, facts: F | undefined): Progress;
  /** Pure. What of it ends before the members of a cluster that is being destroyed. Absent: nothing. */
  clear?(view: ClusterView, facts: F | undefined): Due<S>[];
  /**
   * The leader is about to change: keeps those who reach it this way waiting, at most that long for what is under way,
   * and gives what lets them go on.
   */
  hold?(context: Context, cluster: ClusterRecord, withinMs: number): Promise<() => Promise<void>>;
}

/** A look before anything was decided on it. */
export type Unjudged = Omit<ClusterView, "verdict" | "successors" | "progress">;

/** As the loop holds them: one beside the other, each with steps that only it understands. */
export type AnyConcern = Concern<ConcernStep, unknown>;

/** The loop gives a concern back only what came from it. */
export const concernOf = <S extends ConcernStep, F>(concern: Concern<S, F>): AnyConcern => concern;

/** What a step of a concern touches, as the loop remembers it. */
export const concernKey = (concern: string, thing: string): string => `${concern} ${thing}`;
