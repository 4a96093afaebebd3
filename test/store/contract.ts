import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change, Store } from "../../src/store/store.ts";
import { recorder } from "./recorder.ts";

/** A fresh, empty store, and a way to come back to it later. Errors that its watchers throw are collected. */
export interface StoreUnderTest {
  store: Store;
  /** Closes the store and opens the same state again. */
  reopen(): Promise<Store>;
  watcherErrors: unknown[];
  /** Closes and removes everything. */
  end(): Promise<void>;
}

const put = (key: string, value: unknown = key) => ({ put: key, value: JSON.stringify(value) });
const keys = (entries: { key: string }[]) => entries.map((entry) => entry.key);

/** What every implementation of `Store` must do; `start` makes a new one for each test. */
export function storeContract(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the contract of a store`, () => {
    let at: StoreUnderTest;
    let store: Store;
    beforeEach(async () => {
      at = await start();
      store = at.store;
    });
    afterEach(() => at.end());

    const write = async (...writes: Parameters<Store["txn"]>[1]): Promise<number> => {
      const result = await store.txn([], writes);
      if (!result.done) throw new Error("a transaction without compares was not done");
      return result.revision;
    };

    it("has nothing in it at first", async () => {
      expect(await store.get("a")).toBeUndefined();
      expect((await store.range("")).entries).toEqual([]);
    });

    it("gives back what was put, with the revisions of its making and of its last change", async () => {
      const first = await write(put("a", 1));
      const second = await write(put("a", 2), put("b", 1));
      expect(second).toBeGreaterThan(first);
      expect(await store.get("a")).toEqual({ key: "a", value: "2", createRevision: first, modRevision: second });
      expect(await store.get("b")).toEqual({ key: "b", value: "1", createRevision: second, modRevision: second });
    });

    it("makes a key anew after it was deleted", async () => {
      await write(put("a"));
      await write({ delete: "a" });
      expect(await store.get("a")).toBeUndefined();
      const again = await write(put("a"));
      expect(await store.get("a")).toMatchObject({ createRevision: again, modRevision: again });
    });

    it("counts no revision where nothing changed", async () => {
      const revision = await write(put("a"));
      expect(await write({ delete: "missing" })).toBe(revision);
      expect(await write()).toBe(revision);
      expect(await write(put("a"))).toBeGreaterThan(revision);
    });

    it("ranges over a prefix in byte order, and over nothing else", async () => {
      const unicode = [
        "a/",
        "a/\u{1}",
        "a/b",
        "a/é",
        "a/\u{ffff}",
        "a/\u{1f600}",
        "a/\u{10ffff}",
        "a/\u{10ffff}\u{10ffff}",
      ];
      await write(...["a", "a0", "b/a", "A/b", ...unicode].map((key) => put(key)));
      expect(keys((await store.range("a/")).entries)).toEqual(unicode);
      expect(keys((await store.range("a/\u{10ffff}")).entries)).toEqual(unicode.slice(-2));
      expect((await store.range("")).entries).toHaveLength(12);
      expect((await store.range("c")).entries).toEqual([]);
    });

    it("takes % and _ and * in a prefix for what they are", async () => {
      await write(put("a%b"), put("a_b"), put("a*b"), put("axb"));
      expect(keys((await store.range("a%")).entries)).toEqual(["a%b"]);
      expect(keys((await store.range("a_")).entries)).toEqual(["a_b"]);
      expect(keys((await store.range("a*")).entries)).toEqual(["a*b"]);
    });

    it("finds nothing under a key that cannot be stored, and refuses to write it", async () => {
      await write(put("a"), put("a\u{fffd}"));
      for (const key of ["", "a\0", "a\0b", "a\ud800"]) {
        expect(await store.get(key)).toBeUndefined();
        await expect(store.txn([], [put(key)])).rejects.toMatchObject({ code: "internal" });
      }
      expect((await store.range("a\ud800")).entries).toEqual([]);
      expect((await store.range("")).entries).toHaveLength(2);
    });

    it("says as of which revision a range is", async () => {
      await write(put("a/1"));
      const later = await write(put("b/1"));
      expect((await store.range("a/")).revision).toBe(later);
    });

    it("keeps text of any kind as it is", async () => {
      const value = {
        text: "\"'`\\ \n\r\t \u{7f} é 日本 \u{1f600} \u2028",
        long: "x".repeat(100_000),
        nul: "\0",
        half: "\ud800",
      };
      await write(put("a", value));
      expect(JSON.parse((await store.get("a"))?.value ?? "")).toEqual(value);
    });

    it("does all writes where every compare holds", async () => {
      const a = await write(put("a"));
      const result = await store.txn(
        [
          { key: "a", modRevision: a },
          { key: "new", modRevision: 0 },
        ],
        [put("new"), { delete: "a" }],
      );
      expect(result.done).toBe(true);
      expect(keys((await store.range("")).entries)).toEqual(["new"]);
    });

    it("does none where one compare does not hold", async () => {
      const a = await write(put("a"));
      const b = await write(put("b"));
      const stale = [
        { key: "a", modRevision: a },
        { key: "b", modRevision: b - 1 },
      ];
      expect(await store.txn(stale, [put("c"), { delete: "a" }])).toEqual({ done: false });
      expect(await store.txn([{ key: "a", modRevision: 0 }], [put("c")])).toEqual({ done: false });
      expect(await store.txn([{ key: "c", modRevision: a }], [put("c")])).toEqual({ done: false });
      expect(await store.range("")).toMatchObject({ revision: b, entries: [{ key: "a" }, { key: "b" }] });
    });

    it("refuses to write one key twice in a transaction", async () => {
      await expect(store.txn([], [put("a"), put("ok"), { delete: "a" }])).rejects.toMatchObject({ code: "internal" });
      expect((await store.range("")).entries).toEqual([]);
    });

    it("lets one of many win who compare with the same revision", async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) => store.txn([{ key: "lock", modRevision: 0 }], [put("lock", index)])),
      );
      expect(results.filter((result) => result.done)).toHaveLength(1);
    });

    it("goes on counting after it was opened again", async () => {
      await write(put("a"));
      const last = await write({ delete: "a" });
      store = await at.reopen();
      expect((await store.range("")).revision).toBe(last);
      expect(await write(put("b"))).toBeGreaterThan(last);
    });

    it("tells a watcher every later change under its prefix, in order, deletions too", async () => {
      const from = await write(put("a/0"), put("b/0"));
      const watched = recorder<Change>();
      await store.watch("a/", from, watched.record);
      const one = await write(put("a/2"), put("a/1"), put("b/1"));
      const two = await write({ delete: "a/0" }, { delete: "a/missing" });
      const three = await write(put("a/3"));
      expect(await watched.until(4)).toEqual([
        { type: "put", key: "a/2", value: '"a/2"', revision: one },
        { type: "put", key: "a/1", value: '"a/1"', revision: one },
        { type: "delete", key: "a/0", revision: two },
        { type: "put", key: "a/3", value: '"a/3"', revision: three },
      ]);
    });

    it("replays what happened since a revision and goes on without a gap or a double", async () => {
      const revisions: number[] = [];
      for (let index = 0; index < 10; index++) revisions.push(await write(put("a", index)));
      const watched = recorder<Change>();
      const writes = Array.from({ length: 10 }, (_, index) => write(put("a", 10 + index)));
      await store.watch("a", revisions[4] ?? 0, watched.record);
      await Promise.all([...writes, ...Array.from({ length: 10 }, (_, index) => write(put("a", 20 + index)))]);
      const changes = await watched.until(25);
      expect(changes.map((change) => change.type === "put" && change.value)).toEqual(
        Array.from({ length: 25 }, (_, index) => String(5 + index)),
      );
      await write(put("a", "end"));
      expect(await watched.until(26)).toHaveLength(26);
    });

    it("replays across a restart", async () => {
      const from = await write(put("a", 1));
      await write(put("a", 2));
      store = await at.reopen();
      const watched = recorder<Change>();
      await store.watch("a", from, watched.record);
      await write(put("a", 3));
      expect((await watched.until(2)).map((change) => change.type === "put" && change.value)).toEqual(["2", "3"]);
    });

    it("waits for a revision that is still to come", async () => {
      const now = await write(put("a"));
      const watched = recorder<Change>();
      await store.watch("a", now + 1, watched.record);
      await write(put("a", "passed over"));
      await write(put("a", "told"));
      expect(await watched.until(1)).toMatchObject([{ value: '"told"' }]);
    });

    it("never calls a watcher from inside the transaction", async () => {
      let inside = true;
      const watched = recorder<boolean>();
      await store.watch("", 0, () => watched.record(inside));
      const writing = write(put("a"));
      inside = false;
      await writing;
      expect(await watched.until(1)).toEqual([false]);
    });

    it("lets a watcher write", async () => {
      const watched = recorder<string>();
      await store.watch("", 0, ({ key }) => {
        watched.record(key);
        if (key === "question") void store.txn([], [put("answer")]);
      });
      await write(put("question"));
      expect(await watched.until(2)).toEqual(["question", "answer"]);
    });

    it("does not let one watcher's error hurt the others or the writer", async () => {
      const watched = recorder<Change>();
      await store.watch("", 0, () => {
        throw new Error("mine alone");
      });
      await store.watch("", 0, watched.record);
      await write(put("a"), put("b"));
      await write(put("c"));
      await watched.until(3);
      expect(at.watcherErrors).toHaveLength(3);
    });

    it("tells nothing any more once a watch is ended, not even in the middle of a transaction's changes", async () => {
      const ended = recorder<string>();
      const going = recorder<Change>();
      const stop = await store.watch("", 0, ({ key }) => {
        ended.record(key);
        if (key === "b") stop();
      });
      await store.watch("", 0, going.record);
      await write(put("a"), put("b"), put("c"));
      await write(put("d"));
      await going.until(4);
      expect(ended.seen).toEqual(["a", "b"]);
    });

    it("forgets what was before a revision, and goes on with what holds", async () => {
      await write(put("a", "old"), put("gone"));
      await write({ delete: "gone" });
      const revision = await write(put("a", "new"));
      await write(put("b"));
      await store.forget(revision);
      expect((await store.range("")).entries.map(({ key, value }) => [key, value])).toEqual([
        ["a", '"new"'],
        ["b", '"b"'],
      ]);
      await expect(store.watch("", revision - 2, () => undefined)).rejects.toMatchObject({ code: "conflict" });
      const watched = recorder<string>();
      await store.watch("", revision - 1, ({ key }) => watched.record(key));
      await watched.until(2);
      expect(watched.seen).toEqual(["a", "b"]);
      expect((await (await at.reopen()).get("a"))?.value).toBe('"new"');
    });

    it("refuses whoever calls it after it was closed", async () => {
      await store.close();
      await expect(store.get("a")).rejects.toMatchObject({ code: "shutting_down" });
      await expect(store.txn([], [put("a")])).rejects.toMatchObject({ code: "shutting_down" });
      await store.close();
    });
  });
}
