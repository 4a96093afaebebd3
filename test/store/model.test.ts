import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, Compare, Entry, Store, TxnResult, Write } from "../../src/store/store.ts";
import { newStore } from "./open.ts";
import { recorder } from "./recorder.ts";

/** The simplest store there could be: a sorted map and a list of all that ever happened. */
class Model {
  readonly entries = new Map<string, Entry>();
  readonly changes: Change[] = [];
  revision = 0;

  txn(compare: readonly Compare[], writes: readonly Write[]): TxnResult {
    if (compare.some(({ key, modRevision }) => (this.entries.get(key)?.modRevision ?? 0) !== modRevision))
      return { done: false };
    const revision = this.revision + 1;
    for (const write of writes) {
      if ("put" in write) {
        const { put: key, value } = write;
        this.entries.set(key, {
          key,
          value,
          createRevision: this.entries.get(key)?.createRevision ?? revision,
          modRevision: revision,
        });
        this.changes.push({ type: "put", key, value, revision });
      } else if (this.entries.delete(write.delete)) {
        this.changes.push({ type: "delete", key: write.delete, revision });
      }
    }
    this.revision = this.changes.at(-1)?.revision ?? 0;
    return { done: true, revision: this.revision };
  }

  range(prefix: string): { revision: number; entries: Entry[] } {
    const found = [...this.entries.values()].filter(({ key }) => key.startsWith(prefix));
    return {
      revision: this.revision,
      entries: found.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))),
    };
  }

  since(revision: number, prefix: string): Change[] {
    return this.changes.filter((change) => change.revision > revision && change.key.startsWith(prefix));
  }
}

// Few letters, so that keys meet each other and are prefixes of each other; each of 1, 2, 3 or 4 bytes.
const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "é", "\uffff", "😀", "\u{10ffff}"), maxLength: 4 });
const anyKey = text.filter((drawn) => drawn !== "");
const anyWrite = fc.oneof(
  fc.record({ put: anyKey, value: fc.json({ maxDepth: 1 }) }),
  anyKey.map((key) => ({ delete: key })),
);
const writes = fc.uniqueArray(anyWrite, {
  maxLength: 4,
  selector: (write) => ("put" in write ? write.put : write.delete),
});
/** Compares are drawn as keys, some of which are compared with the true revision and some with one beside it. */
const compares = fc.array(fc.record({ key: anyKey, off: fc.constantFrom(0, 0, 0, 1) }), { maxLength: 3 });

type Step =
  | { do: "txn"; compares: { key: string; off: number }[]; writes: Write[] }
  | { do: "get"; key: string }
  | { do: "range"; prefix: string }
  | { do: "watch"; prefix: string; back: number }
  | { do: "unwatch" }
  | { do: "reopen" };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("txn" as const), compares, writes }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("get" as const), key: text }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("range" as const), prefix: text }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("watch" as const), prefix: text, back: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: "unwatch" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "reopen" as const }) },
);

interface Watch {
  stop: () => void;
  heard: ReturnType<typeof recorder<Change>>;
  expected: () => Change[];
}

/** Does the steps on both, and compares every answer and everything the watchers were told. */
async function agree(steps: readonly Step[]): Promise<void> {
  const at = await newStore();
  let store: Store = at.store;
  const model = new Model();
  let watches: Watch[] = [];
  const settle = async () => {
    for (const { heard, expected } of watches) expect(await heard.until(expected().length)).toEqual(expected());
  };
  for (const step of steps) {
    switch (step.do) {
      case "txn": {
        const compare = step.compares.map(({ key, off }) => ({
          key,
          modRevision: (model.entries.get(key)?.modRevision ?? 0) + off,
        }));
        expect(await store.txn(compare, step.writes)).toEqual(model.txn(compare, step.writes));
        break;
      }
      case "get":
        expect(await store.get(step.key)).toEqual(model.entries.get(step.key));
        break;
      case "range":
        expect(await store.range(step.prefix)).toEqual(model.range(step.prefix));
        break;
      case "watch": {
        const from = Math.max(0, model.revision - step.back);
        const heard = recorder<Change>();
        watches.push({
          heard,
          stop: await store.watch(step.prefix, from, heard.record),
          expected: () => model.since(from, step.prefix),
        });
        break;
      }
      case "unwatch":
        await settle();
        watches.shift()?.stop();
        break;
      case "reopen":
        await settle();
        watches = [];
        store = await at.reopen();
    }
  }
  await settle();
  expect(await store.range("")).toEqual(model.range(""));
  expect(at.watcherErrors).toEqual([]);
  await at.end();
}

describe("the SQLite store", () => {
  it("does what the simplest store would do, whatever it is asked in whatever order", { timeout: 60_000 }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(anyStep, { maxLength: 40 }), agree), { numRuns: 100 });
  });
});
