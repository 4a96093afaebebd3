import { byItself } from "../../base/actor.ts";
import { steadyNow } from "../../base/clock.ts";
import type { Watcher, WishLoop } from "../../cluster/cluster-loop.ts";
import { concernKey, type ConcernStep } from "../../cluster/concern.ts";
import type { Trouble } from "../../cluster/view.ts";
import { fail, type PerchError, toPerchError } from "../../errors/error.ts";
import { backoffMs } from "../loop.ts";
import type { AnyNetworkConcern, NetworkContext, NetworkDue, NetworkView } from "./concern.ts";

export interface NetworkLoop extends WishLoop<NetworkView> {
  /** Resolves when nothing is under way and nothing can be begun. */
  atRest(): Promise<void>;
  /** What could not be done and is tried again, a sentence a thing. */
  troubles(): { thing: string; sentence: string }[];
  /** Ends the loop when the steps under way have ended. */
  stop(): Promise<void>;
}

const tickMs = 5_000;
const nameOf = ({ what, thing }: ConcernStep): string => `${what} ${thing}`;
const keyOf = ({ concern, thing }: ConcernStep): string => concernKey(concern, thing);

/** observe() → plan() → apply(step) → again. Changed records wake it, and what died; a slow tick is the safety net. */
export function startNetworkLoop(context: NetworkContext, concerns: readonly AnyNetworkConcern[]): NetworkLoop {
  const { log } = context;
  const under = new Map<string, { step: ConcernStep; done: Promise<void> }>();
  const troubles = new Map<string, Trouble>();
  const watchers = new Set<Watcher<NetworkView>>();
  let view: NetworkView | undefined;
  let turning: Promise<void> | undefined;
  let again = false;
  let stopped = false;
  let begun = 0;
  let retry: NodeJS.Timeout | undefined;

  const say = (sentence: string): void => {
    context.say("network", sentence);
    for (const watcher of watchers) watcher.onSentence?.(sentence);
  };

  /** What cannot be looked at keeps no other concern from its work. */
  async function observe(): Promise<NetworkView> {
    // As of now: a step that ends while we look is still under way in this look.
    const things = new Map(
      [...under.keys(), ...troubles.keys()].map((thing) => {
        const step = under.get(thing)?.step;
        return [thing, { busy: step && nameOf(step), trouble: troubles.get(thing) }] as const;
      }),
    );
    const network = await context.state.network.get({});
    if (network === undefined) throw fail("internal", { why: "the network has no record" });
    const found = new Map<string, unknown>();
    await Promise.all(
      concerns.map((concern) =>
        concern.observe(context).then(
          (facts) => void found.set(concern.name, facts),
          (error: unknown) => log.error({ err: error, concern: concern.name }, "a concern could not be looked at"),
        ),
      ),
    );
    return { network, mode: context.place.mode, found, things, now: steadyNow() };
  }

  async function pass(): Promise<void> {
    begun++;
    const now = await observe();
    view = now;
    for (const concern of concerns) {
      if (!now.found.has(concern.name)) continue;
      const dues = concern.plan(now, now.found.get(concern.name));
      forgetTroubles(concern, dues);
      for (const due of dues) {
        const { busy, trouble } = now.things.get(keyOf(due.step)) ?? {};
        if (busy === undefined && (trouble === undefined || trouble.until <= now.now)) begin(concern, due, now);
      }
    }
    clearTimeout(retry);
    // What is being tried again wakes the loop when it ends.
    const waits = [...troubles.values()].filter(({ until }) => until > now.now).map(({ until }) => until - now.now + 5);
    if (!stopped && waits.length > 0) retry = setTimeout(wake, Math.min(...waits));
    for (const watcher of watchers) watcher.onPass?.(now);
  }

  /** What is not to be done any more has failed for good. */
  function forgetTroubles({ name }: AnyNetworkConcern, dues: readonly NetworkDue<ConcernStep>[]): void {
    const due = new Set(dues.map(({ step }) => keyOf(step)));
    for (const key of troubles.keys())
      if (key.startsWith(concernKey(name, "")) && !due.has(key) && !under.has(key)) troubles.delete(key);
  }

  function begin(concern: AnyNetworkConcern, { step, because, quiet }: NetworkDue<ConcernStep>, at: NetworkView): void {
    const key = keyOf(step);
    if (quiet === true) log.debug({ concern: concern.name }, because);
    else if (!troubles.has(key)) say(because);
    const done = concern
      .apply(step, context, at)
      .then(
        () => {
          if (troubles.delete(key)) say(`${step.thing} is well again`);
        },
        (error: unknown) => failed(concern, step, toPerchError(error)),
      )
      .finally(() => {
        under.delete(key);
        wake();
      });
    under.set(key, { step, done });
  }

  async function failed(concern: AnyNetworkConcern, step: ConcernStep, error: PerchError): Promise<void> {
    const key = keyOf(step);
    log.warn({ err: error, step: nameOf(step) }, "a step failed");
    const undone = await concern.undo(step, context, error).catch((reason: unknown) => {
      log.error({ err: reason }, "what a step left could not be taken back");
      return false;
    });
    const before = troubles.get(key);
    if (undone) troubles.delete(key);
    else {
      const attempts = (before?.attempts ?? 0) + 1;
      troubles.set(key, {
        step: nameOf(step),
        why: error.message,
        attempts,
        until: steadyNow() + backoffMs(attempts),
      });
      if (before?.why !== error.message) say(failure(nameOf(step), error.message));
    }
    for (const watcher of watchers) watcher.onFailure?.(key, error);
  }

  function wake(): void {
    if (stopped) return;
    again = true;
    turning ??= byItself(turn);
  }

  async function turn(): Promise<void> {
    while (again && !stopped) {
      again = false;
      await pass().catch((error: unknown) => log.error({ err: error }, "a pass of the network's loop failed"));
    }
    turning = undefined; // in the same breath as the last look at `again`: no wake is lost between the two
  }

  const watch = (watcher: Watcher<NetworkView>) => {
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  };
  const tick = setInterval(wake, tickMs);
  wake();
  return {
    wake,
    view: () => view,
    retry() {
      for (const [thing, trouble] of troubles) troubles.set(thing, { ...trouble, until: 0 });
      wake();
    },
    watch,
    atRest: () =>
      new Promise((resolve) => {
        const before = begun; // what is seen now may be from before the wish
        const unwatch = watch({
          onPass() {
            if (begun === before || under.size > 0) return;
            unwatch();
            resolve();
          },
        });
        wake();
      }),
    troubles: () => [...troubles].map(([thing, { step, why }]) => ({ thing, sentence: failure(step, why) })),
    async stop() {
      stopped = true;
      clearInterval(tick);
      clearTimeout(retry);
      await turning;
      await Promise.allSettled([...under.values()].map(({ done }) => done));
    },
  };
}

const failure = (step: string, why: string): string => `could not ${step}: ${why}; it is tried again`;
