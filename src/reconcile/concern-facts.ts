import type { Context } from "../cluster/context.ts";
import type { ClusterView, Progress } from "../cluster/view.ts";
import { toPerchError } from "../errors/error.ts";

/** It is looked at again soon; nobody waits for it. */
export const unseenProgress: Progress = { settling: true, back: true };

/** One that cannot be looked at keeps neither the members nor the others from it. */
export async function ofConcerns<C extends { name: string }>(
  { log }: Pick<Context, "log">,
  concerns: readonly C[],
  look: (one: C) => Promise<unknown>,
): Promise<Pick<ClusterView, "found" | "unseen">> {
  const found = new Map<string, unknown>();
  const unseen = new Map<string, string>();
  await Promise.all(
    concerns.map((one) =>
      look(one).then(
        (facts) => found.set(one.name, facts),
        (error: unknown) => {
          log.error({ err: error, concern: one.name }, "a concern could not be looked at");
          unseen.set(one.name, toPerchError(error).message);
        },
      ),
    ),
  );
  return { found, unseen };
}
