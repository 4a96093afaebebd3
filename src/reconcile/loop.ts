/**
 * observe() → plan() → apply(step) → again, one loop a cluster. Events wake it: a change of a record, a step's end, a
 * server's death; a slow tick is the safety net. Steps run beside the loop, so a copy of an hour does not keep a dead
 * leader waiting. Start with `plan.ts`; this file only turns.
 */
import { byItself } from "../base/actor.ts";
import { steadyNow } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { type PerchError, toPerchError } from "../errors/error.ts";
import { type Deaths, deathRegister } from "./deaths.ts";
import { newNotices } from "./notices.ts";
import { nameOf, type Plan, type Step, touches, triedKey } from "./step.ts";
import type { ClusterLoop, Watcher } from "../cluster/cluster-loop.ts";
import { type ClusterView, type Trouble, unsettled } from "../cluster/view.ts";

/** What the loop remembers between passes and no store needs to know. */
export interface LoopMemory {
  /** Thing → the step under way on it. */
  readonly under: ReadonlyMap<string, Step>;
  readonly troubles: ReadonlyMap<string, Trouble>;
  /** Who ended without being told to. */
  readonly deaths: Deaths;
  /** What is so, and since when: written by whoever looks. */
  readonly since: Map<string, number>;
}

export interface LoopWork {
  /** Undefined when the cluster's record is gone: the loop ends. */
  observe(memory: LoopMemory): Promise<ClusterView | undefined>;
  plan(view: ClusterView): Plan;
  apply(step: Step, view: ClusterView, signal: AbortSignal): Promise<void>;
  /**
   * A step failed on something that is still being created: what is to be undone is marked so. Gives false when it is
   * not in creation.
   */
  undo(step: Step, why: PerchError): Promise<boolean>;
  say(sentence: string): void;
  /** After every pass: names, routes and addresses may have changed. */
  publish(view: ClusterView | undefined): Promise<void>;
}

export interface Loop extends ClusterLoop {
  /** Ends the loop; steps under way are aborted and awaited. */
  stop(): Promise<void>;
}

const tickMs = 5_000;
/** How soon what is unsettled is looked at again; then after as long as it has been so, up to the tick. */
const lookAgainMs = 50;
export const backoffMs = (attempts: number): number => Math.min(30_000, 250 * 2 ** attempts);

export function startLoop(work: LoopWork, log: Log): Loop {
  const under = new Map<string, { step: Step; abort: AbortController; done: Promise<void> }>();
  const troubles = new Map<string, Trouble>();
  const deaths = deathRegister();
  const since = new Map<string, number>();
  const watchers = new Set<Watcher<ClusterView>>();
  let view: ClusterView | undefined;
  /** Member → what was last said to be wrong with it. */
  const said = new Map<string, string>();
  let lastSentence = "";
  let turning: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  let unsettledSince: number | undefined;

  /**
   * As of now: a step that ends while we look is still under way in this look, for what was seen may be from before its
   * end.
   */
  const memory = (): LoopMemory => ({
    under: new Map([...under].map(([thing, entry]) => [thing, entry.step])),
    troubles,
    deaths,
    since,
  });

  async function pass(): Promise<void> {
    view = await work.observe(memory());
    if (view === undefined) {
      stopped = true;
      clearInterval(tick);
    } else {
      abortUndone(view);
      const { sentence, steps } = work.plan(view);
      if (sentence !== lastSentence && steps.length > 0) {
        work.say(sentence);
        for (const watcher of watchers) watcher.onSentence?.(sentence);
      }
      lastSentence = sentence;
      for (const notice of newNotices(view, said)) work.say(notice);
      for (const step of steps) begin(step, view);
      lookWhenDue(view);
    }
    await work.publish(view);
    for (const watcher of watchers) watcher.onPass?.(view);
  }

  function begin(step: Step, at: ClusterView): void {
    const thing = touches(step);
    const abort = new AbortController();
    deaths.begun(step);
    if (step.do === "reconnect" || step.do === "rewind") since.set(triedKey(step.machine, step.do), steadyNow());
    const done = work
      .apply(step, at, abort.signal)
      .then(
        () => {
          troubles.delete(thing);
          deaths.done(step);
        },
        (error: unknown) => failed(step, thing, toPerchError(error)),
      )
      .finally(() => {
        under.delete(thing);
        wake();
      });
    under.set(thing, { step, abort, done });
  }

  async function failed(step: Step, thing: string, error: PerchError): Promise<void> {
    log.warn({ err: error, step: nameOf(step), thing }, "a step failed");
    // A restart that ends with perchd is gone on with by the next one.
    const ended = stopped && step.do === "restart";
    const undone = await (ended ? Promise.resolve(false) : work.undo(step, error)).catch((reason: unknown) => {
      log.error({ err: reason }, "what a step left could not be marked for undoing");
      return false;
    });
    if (!undone) {
      const attempts = (troubles.get(thing)?.attempts ?? 0) + 1;
      troubles.set(thing, {
        step: nameOf(step),
        why: error.message,
        attempts,
        until: steadyNow() + backoffMs(attempts),
      });
      work.say(`${nameOf(step)} of ${thing} failed (attempt ${attempts}): ${error.message}`);
    }
    for (const watcher of watchers) watcher.onFailure?.(thing, error);
  }

  /** What is being destroyed must not go on being made. */
  function abortUndone(at: ClusterView): void {
    for (const { step, abort } of under.values()) {
      if (step.do !== "initialise" && step.do !== "copy" && step.do !== "start") continue;
      const member = at.members.find((candidate) => candidate.record.id === step.machine);
      if (at.cluster.phase === "destroying" || member?.record.phase === "destroying")
        abort.abort(new Error("it is being destroyed"));
    }
  }

  function lookWhenDue(at: ClusterView): void {
    clearTimeout(retry);
    unsettledSince = unsettled(at) ? (unsettledSince ?? at.now) : undefined;
    const waits = [...troubles.values()].filter(({ until }) => until > at.now).map(({ until }) => until - at.now + 5);
    if (unsettledSince !== undefined) waits.push(Math.max(lookAgainMs, at.now - unsettledSince));
    const next = Math.min(tickMs, ...waits);
    if (next < tickMs) retry = setTimeout(wake, next);
  }

  function wake(): void {
    if (stopped) return;
    again = true;
    turning ??= byItself(turn); // whoever woke it did not ask for what it finds
  }

  async function turn(): Promise<void> {
    while (again && !stopped) {
      again = false;
      await pass().catch((error: unknown) => log.error({ err: error }, "a pass of the loop failed"));
    }
    turning = undefined; // in the same breath as the last look at `again`: no wake is lost between the two
  }

  const tick = setInterval(wake, tickMs);
  wake();
  return {
    wake,
    view: () => view,
    retry() {
      for (const [thing, trouble] of troubles) troubles.set(thing, { ...trouble, until: 0 });
      wake();
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    async stop() {
      stopped = true;
      clearInterval(tick);
      clearTimeout(retry);
      for (const { abort } of under.values()) abort.abort(new Error("perchd is stopping"));
      await Promise.allSettled([...under.values()].map((entry) => entry.done));
      await turning;
    },
  };
}
