import type { Member } from "../postgres/directory.ts";
import type { Session } from "../postgres/sql.ts";

/** What the loop lends the engine for a change of leadership: one cluster's members, connections and record. */
export interface Hands {
  readonly app: string;
  member(id: string): Promise<Member>;
  /** Perch's own session with a member; undefined when it does not answer. */
  session(id: string): Promise<Session | undefined>;
  /** Ends that session, so that it does not keep a server from stopping. */
  leave(id: string): Promise<void>;
  /** Ends every process of a member, whatever became of its files. Resolves when none is left. */
  kill(id: string): Promise<void>;
  /** Connections to the cluster wait from here on. */
  hold(): Promise<void>;
  /** They lead to that member. */
  open(id: string): Promise<void>;
  /** They lead where the loop sees a leader. */
  letGo(): Promise<void>;
  /** The poolers keep their clients waiting between two transactions; gives what lets them go on. */
  pause(): Promise<() => Promise<void>>;
  /** Writes down what is under way. Gives false when another change is. */
  begin(change: { kind: "switchover" | "failover"; to: string; because: string }): Promise<boolean>;
  /** The member leads, by record: one transaction. */
  crown(id: string): Promise<void>;
  /** Nothing is under way any more. */
  withdraw(): Promise<void>;
  say(sentence: string): void;
}
