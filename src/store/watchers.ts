/**
 * Delivery of changes to those who watch, apart from how a store keeps them: in order, none twice, after the
 * transaction and never inside a call of the one who writes. A watcher that throws is reported and stays; the others do
 * not notice.
 */
import type { Change } from "./store.ts";

interface Watcher {
  readonly prefix: string;
  readonly onChange: (change: Change) => void;
  /** Changes up to this revision are delivered, queued or not wanted. */
  seen: number;
  queue: Change[];
}

export class Watchers {
  readonly #watchers = new Set<Watcher>();
  readonly #report: (error: unknown) => void;
  #due: NodeJS.Immediate | undefined;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /**
   * Begins with the kept changes after `fromRevision`; `publish` brings the later ones. Returns what ends it at once,
   * even in the middle of a delivery.
   */
  add(prefix: string, fromRevision: number, kept: readonly Change[], onChange: (change: Change) => void): () => void {
    const watcher: Watcher = { prefix, onChange, seen: fromRevision, queue: [] };
    this.#watchers.add(watcher);
    this.#enqueue(watcher, kept);
    return () => {
      this.#watchers.delete(watcher);
      watcher.queue = [];
    };
  }

  /** What one transaction changed. */
  publish(changes: readonly Change[]): void {
    for (const watcher of this.#watchers) this.#enqueue(watcher, changes);
  }

  clear(): void {
    for (const watcher of this.#watchers) watcher.queue = [];
    this.#watchers.clear();
    clearImmediate(this.#due);
  }

  #enqueue(watcher: Watcher, changes: readonly Change[]): void {
    const wanted = changes.filter((change) => change.revision > watcher.seen && change.key.startsWith(watcher.prefix));
    const newest = changes.at(-1)?.revision ?? 0;
    watcher.seen = Math.max(watcher.seen, newest);
    if (wanted.length === 0) return;
    for (const change of wanted) watcher.queue.push(change);
    this.#due ??= setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    this.#due = undefined;
    for (const watcher of this.#watchers) {
      const queue = watcher.queue;
      // A change written by a watcher goes into a new queue, for the next round; one that ends itself has its queue
      // taken away.
      watcher.queue = [];
      for (const change of queue) {
        if (!this.#watchers.has(watcher)) break;
        try {
          watcher.onChange(change);
        } catch (error) {
          this.#report(error);
        }
      }
    }
  }
}
