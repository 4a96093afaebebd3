import type { Standing } from "../postgres/replication/replication.ts";

/**
 * What the loop lends the engine for a change of leadership: what can be done to one cluster's members, connections and
 * record.
 */
export interface ClusterOperations {
  readonly app: string;

  /** How a member sees itself; undefined when it does not answer. */
  standing(id: string): Promise<Standing | undefined>;
  /** Whether a postmaster of it lives. */
  lives(id: string): Promise<boolean>;
  /** The position of the checkpoint with which it stopped in order; undefined when it did not. */
  lastCheckpoint(id: string): Promise<bigint | undefined>;

  /** What it has in memory is on disk. */
  checkpoint(id: string): Promise<void>;
  /**
   * It is ready to lead: it waits for the others from its first commit on, where that is wanted, and nothing keeps it
   * from replaying.
   */
  arm(id: string): Promise<void>;
  /** Ends the sessions that keep a replica from replaying, where it has stood still for that long. */
  clearWay(id: string, afterMs: number): Promise<void>;
  /** It stops in order and hands over its last WAL to the next leader; to nobody else, and no archiver keeps it. */
  stop(id: string, next: string): Promise<void>;
  /** Ends every process of a member, whatever became of its files. Resolves when none is left. */
  kill(id: string): Promise<void>;
  /** It has what the dead leader wrote, as far as that can be read. Resolves when it has replayed it. */
  inherit(id: string, from: string, at: Standing): Promise<void>;
  /** Resolves when it takes writes. */
  promote(id: string): Promise<void>;
  /** It knows every timeline that any member has begun, so that its own gets another number. */
  learnTimelines(id: string): Promise<void>;
  /**
   * Where the new leader must not acknowledge alone, the others follow it, and the former one is started as a replica
   * where it stopped in order. Resolves when one that it waits for does, or when the time for that has passed; gives
   * what resolves when nothing of it is under way any more.
   */
  gather(id: string, former?: string): Promise<() => Promise<void>>;

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
  /** The member leads, by record: one transaction. `whole`: the former leader has every acknowledged commit. */
  crown(id: string, former: { whole: boolean }): Promise<void>;
  /** Nothing is under way any more. */
  withdraw(): Promise<void>;
  /** Says what the change took with it: rows of unlogged tables, slots. */
  reckon(id: string, former: string): Promise<void>;
  say(sentence: string): void;
}
