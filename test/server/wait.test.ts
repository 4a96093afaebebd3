import { deserialize, serialize } from "node:v8";
import { describe, expect, it, vi } from "vitest";
import { fail } from "../../src/errors/error.ts";
import type { ClusterLoop, Watcher } from "../../src/cluster/cluster-loop.ts";
import type { ClusterView } from "../../src/cluster/view.ts";
import { settle, type Wish } from "../../src/server/wait.ts";
import { cluster, leading, member } from "../reconcile/world.ts";

/** A loop whose passes the test makes. */
function handLoop() {
  const watchers = new Set<Watcher<ClusterView>>();
  const loop: ClusterLoop = {
    wake: () => undefined,
    view: () => undefined,
    retry: () => undefined,
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
  const each = (what: (watcher: Watcher<ClusterView>) => void) => [...watchers].forEach(what);
  return {
    loop,
    watchers,
    pass: (view: ClusterView | undefined) => each((watcher) => watcher.onPass?.(view)),
    say: (sentence: string) => each((watcher) => watcher.onSentence?.(sentence)),
    fail: (thing: string) => each((watcher) => watcher.onFailure?.(thing, fail("disk_full", { path: "/data" }))),
  };
}

const ready = cluster([member("a1", leading)]);
const wish: Wish<string> = {
  what: "creating pg",
  things: ["a1"],
  done: (view) => (view === ready ? "ready" : undefined),
  undone: (view) => view === undefined,
};
const call = () => {
  const hangUp = new AbortController();
  const heard: string[] = [];
  return {
    hangUp,
    heard,
    call: { signal: hangUp.signal, progress: (sentence: string) => void heard.push(sentence), elsewhere: false },
  };
};

describe("settle", () => {
  it("answers when the wish is fulfilled, and passes on what was said meanwhile", async () => {
    const hand = handLoop();
    const caller = call();
    const answer = settle(hand.loop, caller.call, wish);
    hand.say("make the leader a1");
    hand.pass(cluster([]));
    hand.pass(ready);
    expect(await answer).toBe("ready");
    expect([caller.heard, hand.watchers.size]).toEqual([["make the leader a1"], 0]);
  });

  it("answers by a view that was kept and read again, as another host's would be", async () => {
    const hand = handLoop();
    const leads = (view: ClusterView | undefined) =>
      view?.members.some(({ record, facts }) => record.id === "a1" && facts.answers) === true ? "leads" : undefined;
    const answer = settle(hand.loop, call().call, { ...wish, done: leads });
    const kept = deserialize(serialize(ready)) as ClusterView;
    expect(kept).toEqual(ready);
    hand.pass(kept);
    expect(await answer).toBe("leads");
  });

  it("does not wait for ever until what failed is undone, and says that it goes on", async () => {
    vi.useFakeTimers();
    try {
      const hand = handLoop();
      const answer = settle(hand.loop, call().call, wish).catch((error: unknown) => error);
      hand.fail("a1");
      hand.pass(cluster([]));
      await vi.advanceTimersByTimeAsync(10_000);
      expect(await answer).toMatchObject({
        code: "disk_full",
        next: expect.stringContaining("as soon as that can be done") as string,
      });
      expect(hand.watchers.size).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("ends where the disk is full for something else that it waits for, and has itself undone", async () => {
    const hand = handLoop();
    let cancelled = 0;
    const cancel = () => Promise.resolve(void (cancelled += 1));
    const answer = settle(hand.loop, call().call, { ...wish, cancel }).catch((error: unknown) => error);
    hand.fail("cluster");
    hand.fail("cluster");
    hand.pass(undefined);
    expect(await answer).toMatchObject({ code: "disk_full" });
    expect(cancelled).toBe(1);
    const { cancel: _none, ...lasting } = { ...wish, cancel };
    const other = settle(hand.loop, call().call, lasting);
    hand.fail("cluster");
    hand.pass(ready);
    expect(await other).toBe("ready");
  });

  it("rejects with the failure once everything is undone, not before", async () => {
    const hand = handLoop();
    const answer = settle(hand.loop, call().call, wish);
    const outcome = answer.then(
      () => "done",
      (error: Error) => error.message,
    );
    hand.fail("a1");
    hand.pass(ready); // too late: it failed
    expect(hand.watchers.size).toBe(1);
    hand.pass(undefined);
    expect(await outcome).toBe("the disk under /data is full");
  });

  it("does not mind the failures of other things", async () => {
    const hand = handLoop();
    const answer = settle(hand.loop, call().call, wish);
    hand.fail("l1");
    hand.pass(ready);
    expect(await answer).toBe("ready");
  });

  it("has it undone when the caller hangs up", async () => {
    const hand = handLoop();
    const caller = call();
    let cancelled = false;
    const cancel = () => Promise.resolve(void (cancelled = true));
    const outcome = settle(hand.loop, caller.call, { ...wish, cancel }).catch((error: Error) => error.message);
    caller.hangUp.abort();
    hand.pass(undefined);
    expect([await outcome, cancelled]).toEqual(["creating pg was interrupted and undone", true]);
  });
});
