import { pause } from "../../base/deadline.ts";
import { PerchError } from "../../errors/error.ts";
import { sqlState } from "./session.ts";

const attempts = 5;

/**
 * A statement or transaction that fails only because another one met it in the shared catalogs is repeated, a bounded
 * number of times. Perch's own wait for one another (`inTurn` in reconcile); an operator, and an app that changes its
 * own role, do not.
 */
export async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (attempt === attempts || !isCollision(error)) throw error;
      await pause(50 * 2 ** attempt);
    }
  }
}

/**
 * A serialisation failure, a deadlock, a template that is being copied, or a row of a catalog that changed meanwhile,
 * which has no code of its own.
 */
export function isCollision(error: unknown): boolean {
  const state = sqlState(error) ?? "";
  if (["40001", "40P01"].includes(state)) return true;
  const said = error instanceof PerchError && error.cause instanceof Error ? error.cause.message : "";
  return (
    (state === "XX000" && /^tuple concurrently (updated|deleted)/.test(said)) ||
    (state === "55006" && /^source database /.test(said))
  );
}
