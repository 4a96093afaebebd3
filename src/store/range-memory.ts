import type { Change, Entry } from "./store.ts";

type Range = readonly Entry[];

/**
 * Folders as they were last read, for as long as nothing in them changes: the loops ask for the same ones at every look. Entries stay the same objects
 * meanwhile, so that whoever reads them can remember what he read.
 */
export class RangeMemory {
  readonly #ranges = new Map<string, Range>();
  readonly #most: { ranges: number; entries: number };

  constructor(most = { ranges: 64, entries: 2_000 }) {
    this.#most = most;
  }

  /** What is remembered of the prefix, else what `read` gives. */
  of(prefix: string, read: () => Entry[]): Range {
    const known = this.#ranges.get(prefix);
    if (known !== undefined) return known;
    const found = read();
    if (found.length > this.#most.entries) return found;
    // The oldest goes: those that are asked for again and again are back at once.
    const [oldest] = this.#ranges.keys();
    if (this.#ranges.size >= this.#most.ranges && oldest !== undefined) this.#ranges.delete(oldest);
    this.#ranges.set(prefix, found);
    return found;
  }

  forget(changes: readonly Pick<Change, "key">[]): void {
    for (const prefix of this.#ranges.keys()) if (changes.some(({ key }) => key.startsWith(prefix))) this.#ranges.delete(prefix);
  }
}
