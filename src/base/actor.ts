import { AsyncLocalStorage } from "node:async_hooks";

/**
 * On whose behalf the code at hand runs: a user of this host, a token, or Perch itself. It follows promises and
 * timers, so work that outlives a request must say `byItself`.
 */
const acting = new AsyncLocalStorage<string>();

/** What Perch does without being asked at that moment. */
export const perchItself = "perch";

/** Runs `work` on behalf of `actor`, with everything that it starts. */
export const actingAs = <T>(actor: string, work: () => T): T => acting.run(actor, work);

/** Runs `work` on behalf of Perch itself: a loop that a request only woke. */
export const byItself = <T>(work: () => T): T => acting.run(perchItself, work);

/** `uid 1000 (ann)`, `token ci` or `perch`. */
export const currentActor = (): string => acting.getStore() ?? perchItself;
