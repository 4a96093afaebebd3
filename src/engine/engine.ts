/**
 * Who leads a cluster is decided in this room and nowhere else: only it writes a cluster's `leader`. What it looks at
 * is a situation, which the loop gives it; what it decides is a verdict, which the plan takes up; what it does (a
 * switchover, a failover), it does through operations that the loop lends it. It knows no namespace, no store and no
 * name server. This file is the interface, which is all that other rooms know; `local/` is the engine of clusters whose
 * members all run on this host: start there with `cases.ts`, the table of cases.
 */
import type { Change, Choice, Situation, Verdict } from "../cluster/situation.ts";
import type { ClusterOperations } from "./operations.ts";

export interface Engine {
  /** What is to be done about who leads, with the reason. Pure. */
  decide(at: Situation): Verdict;
  /** Which members may lead after the present leader. Pure. */
  candidates(at: Situation): Choice;
  /**
   * Does a change of leadership, from its first operation to its last, and says how long nobody led. May be repeated
   * after a perchd that was killed in it.
   */
  changeLeader(operations: ClusterOperations, change: Change): Promise<void>;
}
