import type { Change, Entry } from "../store.ts";

/**
 * Folders as they were last read, with what changed in them since: the loops ask for the same ones at every look. An
 * entry that did not change stays the same object, so that whoever read it can remember what he read.
 */
export class RangeMemory {
  readonly #ranges = new Map<string, Entry[]>();
  readonly #most: { ranges: number; entries: number };

  constructor(most = { ranges: 64, entries: 5_000 }) {
    this.#most = most;
  }

  /** What is remembered of the prefix, else what `read` gives. */
  of(prefix: string, read: () => Entry[]): Entry[] {
    const known = this.#ranges.get(prefix);
    if (known !== undefined) return [...known];
    const found = read();
    if (found.length > this.#most.entries) return found;
    // The oldest goes: those that are asked for again and again are back at once.
    const [oldest] = this.#ranges.keys();
    if (this.#ranges.size >= this.#most.ranges && oldest !== undefined) this.#ranges.delete(oldest);
    this.#ranges.set(prefix, found);
    return [...found];
  }

  /** What one transaction changed. */
  note(changes: readonly Change[]): void {
    for (const [prefix, entries] of this.#ranges) {
      for (const change of changes) if (change.key.startsWith(prefix)) put(entries, change);
      if (entries.length > this.#most.entries) this.#ranges.delete(prefix);
    }
  }
}

function put(entries: Entry[], change: Change): void {
  const { key, revision } = change;
  const at = placeOf(entries, key);
  const old = entries[at]?.key === key ? entries[at] : undefined;
  const now =
    change.type === "put"
      ? [{ key, value: change.value, createRevision: old?.createRevision ?? revision, modRevision: revision }]
      : [];
  entries.splice(at, old === undefined ? 0 : 1, ...now);
}

/** Where the key is or would be, in the order of the bytes. */
function placeOf(entries: readonly Entry[], key: string): number {
  const bytes = Buffer.from(key);
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (Buffer.compare(Buffer.from(entries[middle]?.key ?? ""), bytes) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
