import { plan } from "../../src/reconcile/plan.ts";
import { afterEach, describe, expect, it } from "vitest";
import { steadyNow } from "../../src/base/clock.ts";
import { openLog } from "../../src/base/log.ts";
import { fail, type PerchError } from "../../src/errors/error.ts";
import { type Loop, type LoopMemory, type LoopWork, startLoop } from "../../src/reconcile/loop.ts";
import type { Step } from "../../src/reconcile/step.ts";
import type { ClusterView, MemberFacts } from "../../src/cluster/view.ts";
import { cluster, down, leading, member } from "./world.ts";

const log = openLog({ write: () => undefined });
const loops: Loop[] = [];
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.stop();
});

/** One leader whose facts the test holds; `apply` is what the test says a step does. */
function loopOf(
  facts: MemberFacts,
  apply: (step: Step, world: World, signal: AbortSignal) => Promise<void>,
  undo: LoopWork["undo"] = () => Promise.resolve(false),
) {
  const world: World = { facts, gone: false, said: [], passes: 0, phase: "ready" };
  const observe = (memory: LoopMemory): Promise<ClusterView | undefined> => {
    world.passes++;
    const one = member("a1", world.facts, {
      record: { phase: world.phase },
      busy: memory.under.get("a1")?.do,
      trouble: memory.troubles.get("a1"),
    });
    return Promise.resolve(world.gone ? undefined : { ...cluster([one]), now: steadyNow() });
  };
  const loop = startLoop(
    {
      observe,
      plan,
      apply: (step, _view, signal) => apply(step, world, signal),
      undo,
      say: (sentence) => void world.said.push(sentence),
      publish: () => Promise.resolve(),
    },
    log,
  );
  loops.push(loop);
  return { loop, world };
}

interface World {
  facts: MemberFacts;
  gone: boolean;
  said: string[];
  passes: number;
  phase: "creating" | "ready" | "destroying";
}

const until = (loop: Loop, check: (view: ClusterView | undefined) => boolean): Promise<void> =>
  new Promise((resolve) => {
    const stop = loop.watch({ onPass: (view) => check(view) && (stop(), resolve()) });
    loop.wake();
  });

const answers = (view: ClusterView | undefined): boolean => view?.members[0]?.facts.answers === true;

describe("the loop of a cluster", () => {
  it("makes it so, says why once, and comes to rest", async () => {
    const { loop, world } = loopOf(down, (_step, at) => {
      at.facts = leading;
      return Promise.resolve();
    });
    await until(loop, answers);
    expect(world.said).toEqual(["start the leader a1 in ams: it is wanted started and does not run."]);
  });

  it("goes on looking while a step takes long, and begins no second one on the same thing", async () => {
    let finish: () => void = () => undefined;
    let begun = 0;
    const { loop, world } = loopOf(down, (_step, at) => {
      begun++;
      return new Promise((resolve) => {
        finish = () => {
          at.facts = leading;
          resolve();
        };
      });
    });
    await until(loop, (view) => view?.members[0]?.busy === "start");
    const before = world.passes;
    for (let looks = 0; looks < 4; looks++) await until(loop, () => true);
    expect(world.passes).toBeGreaterThan(before + 3);
    expect(begun).toBe(1);
    finish();
    await until(loop, answers);
  });

  it("does not do again what ended while it looked", async () => {
    const done: string[] = [];
    let facts = down;
    let end: () => void = () => undefined;
    const observe = async (memory: LoopMemory): Promise<ClusterView> => {
      const seen = facts;
      end(); // the step ends between the look at the facts and the word of what is under way
      await new Promise<void>((resolve) => setImmediate(resolve));
      return { ...cluster([member("a1", seen, { busy: memory.under.get("a1")?.do })]), now: steadyNow() };
    };
    const apply = async (step: Step) => {
      done.push(step.do);
      await new Promise<void>((resolve) => (end = resolve));
      facts = leading;
    };
    const work = {
      observe,
      plan,
      apply,
      undo: () => Promise.resolve(false),
      say: () => undefined,
      publish: () => Promise.resolve(),
    };
    const loop = startLoop(work, log);
    loops.push(loop);
    await until(loop, answers);
    expect(done).toEqual(["start"]);
  });

  it("tries again after a failure, later each time, and says how often it tried", async () => {
    let tries = 0;
    const { loop, world } = loopOf(down, (_step, at) => {
      if (++tries < 2) return Promise.reject(fail("busy", { what: "port 5433", by: "another program" }));
      at.facts = leading;
      return Promise.resolve();
    });
    await until(loop, answers);
    expect(tries).toBe(2);
    expect(world.said[1]).toBe("start of a1 failed (attempt 1): port 5433 is busy: another program is under way");
  });

  it("does not try again what is undone instead", async () => {
    const errors: PerchError[] = [];
    let tries = 0;
    const { loop, world } = loopOf(
      down,
      () => {
        tries++;
        return Promise.reject(fail("disk_full", { path: "/data" }));
      },
      () => {
        world.gone = true;
        return Promise.resolve(true);
      },
    );
    loop.watch({ onFailure: (_thing, error) => void errors.push(error) });
    await until(loop, (view) => view === undefined);
    expect([tries, errors.map((error) => error.code)]).toEqual([1, ["disk_full"]]);
  });

  it("aborts the making of what is being destroyed", async () => {
    let aborted = false;
    const { loop, world } = loopOf(down, (_step, at, signal) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted = true;
          at.gone = true;
          reject(fail("cancelled", { what: "start" }));
        });
      });
    });
    await until(loop, (view) => view?.members[0]?.busy === "start");
    world.phase = "destroying";
    await until(loop, (view) => view === undefined);
    expect(aborted).toBe(true);
  });

  it("asks nobody to undo a restart that ends with it: the next perchd goes on", async () => {
    const undone: string[] = [];
    let begun = false;
    const { loop } = loopOf(
      { ...leading, answers: false, unreachable: true },
      (_step, _world, signal) =>
        new Promise((_resolve, reject) => {
          begun = true;
          signal.addEventListener("abort", () => reject(new Error("cut short")));
        }),
      (step) => {
        undone.push(step.do);
        return Promise.resolve(false);
      },
    );
    await until(loop, (view) => begun && view?.members[0]?.busy === "restart");
    await loop.stop();
    expect(undone).toEqual([]);
  });
});
