/**
 * A loop as it looks to who waits for a wish: what it found, what it says, what failed. All of that is
 * plain data, and nothing of it needs the loop to turn in this process: where a cluster spans hosts, another host's
 * loop may make the wish true, and what stands behind this interface is what that host keeps of its status.
 */
import type { PerchError } from "../errors/error.ts";
import type { ClusterView, MemberView } from "./view.ts";

export interface Watcher<V> {
  /** It looked. `view` is undefined once what it is the loop of is gone. */
  onPass?(view: V | undefined): void;
  onSentence?(sentence: string): void;
  /** A step on that thing failed. */
  onFailure?(thing: string, error: PerchError): void;
}

/** A loop that makes wishes true; `V` is what it looks at. */
export interface WishLoop<V> {
  /** As of its last look; undefined before the first. */
  view(): V | undefined;
  /** It is to look now. */
  wake(): void;
  /** What failed is tried at once: its cause may be gone. */
  retry(): void;
  watch(watcher: Watcher<V>): () => void;
}

export type ClusterLoop = WishLoop<ClusterView>;

/** Those of all clusters, by name. */
export interface ClusterLoops {
  /** That of a cluster whose record was just written. */
  open(app: string): ClusterLoop;
  /** Throws `not_a_cluster`. */
  require(app: string): ClusterLoop;
  find(app: string): ClusterLoop | undefined;
  /** The last views; undefined until every loop has looked once. */
  views(): ClusterView[] | undefined;
  /** The member with that machine id, with the view and the loop it belongs to. */
  member(machine: string): { loop: ClusterLoop; view: ClusterView; member: MemberView } | undefined;
}
