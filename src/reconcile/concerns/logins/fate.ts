import type { FormerLoginRecord } from "../../../model/records.ts";
import type { LoginState } from "../../../postgres/sql/logins.ts";

/** What is so with a former login. */
export interface Circumstances {
  now: number;
  state: LoginState | undefined;
  /** Runs there are. */
  runs: ReadonlySet<string>;
  /** Whether a session of it is open anywhere; undefined while somebody cannot be asked. */
  inUse: boolean | undefined;
}

/**
 * `limit`: PostgreSQL is told its end. `end`: no new session uses it. `remove`: that has been so, and the last session
 * has ended.
 */
export type Fate = "stay" | "limit" | "end" | "remove";

/**
 * A former login ends at its time; sooner only where runs were known to have it, all of them have ended and no session
 * uses it: somebody may have taken the URL elsewhere. Pure.
 */
export function fateOf(
  { until, runs }: Pick<FormerLoginRecord, "until" | "runs">,
  { now, state, runs: there, inUse }: Circumstances,
): Fate {
  if (state === undefined) return "remove";
  const done = runs !== undefined && runs.length > 0 && runs.every((run) => !there.has(run)) && inUse === false;
  if (state.ended) return inUse === false ? "remove" : "stay";
  if (done || Date.parse(until) <= now) return "end";
  return state.until === until ? "stay" : "limit";
}
