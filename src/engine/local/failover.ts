import { ask } from "../../base/deadline.ts";
import { fail } from "../../errors/error.ts";
import type { Standing } from "../../postgres/replication/replication.ts";
import type { ClusterOperations } from "../operations.ts";
import type { Change } from "../../cluster/situation.ts";

/**
 * The leader is lost: it is ended for good, whatever is left of it, and the most advanced candidate leads. Resolves
 * with the milliseconds it took. A perchd killed in the middle finds the same case again, or a member that is promoted
 * already.
 */
export async function failOver(operations: ClusterOperations, change: Change): Promise<{ to: string; ms: number }> {
  const { from, candidates } = change;
  const began = performance.now();
  await operations.hold();
  try {
    if (!candidates.includes(from)) await operations.kill(from); // first: two leaders are worse than none
    const best = await mostAdvanced(operations, candidates);
    await operations.begin({ kind: "failover", to: best.id, because: change.because });
    if (best.at.recovering) {
      await operations.arm(best.id);
      if (best.id !== from) await operations.inherit(best.id, from, best.at);
      await operations.learnTimelines(best.id);
      await operations.promote(best.id);
    }
    await operations.crown(best.id, { whole: false });
    const rest = await operations.gather(best.id);
    await operations.open(best.id);
    const ms = performance.now() - began;
    await rest();
    return { to: best.id, ms };
  } catch (error) {
    await operations.letGo();
    throw error;
  }
}

interface Candidate {
  id: string;
  at: Standing;
}

/**
 * Asked when no WAL comes in any more. One that was promoted already goes before all others; then who has received
 * most, on the latest timeline.
 */
async function mostAdvanced(operations: ClusterOperations, ids: readonly string[]): Promise<Candidate> {
  const look = async (id: string): Promise<Candidate | undefined> => {
    const at = await operations.standing(id);
    return at === undefined ? undefined : { id, at };
  };
  const settled = await ask(
    async () => {
      // One that cannot be asked is no candidate; where none is left the error says so.
      const found = (await Promise.all(ids.map((id) => look(id).catch(() => undefined)))).filter(
        (one) => one !== undefined,
      );
      return found.length > 0 && found.every(({ at }) => !at.streaming) ? found : undefined;
    },
    { everyMs: 10, withinMs: 5_000 },
  );
  const [best] = (settled ?? []).toSorted((a, b) => further(b.at, a.at));
  if (best === undefined)
    throw fail("no_active_leader", { app: operations.app, why: "no replica answers", machine: ids[0] ?? "" });
  return best;
}

function further(a: Standing, b: Standing): number {
  if (a.recovering !== b.recovering) return a.recovering ? -1 : 1;
  if (a.timeline !== b.timeline) return a.timeline - b.timeline;
  return a.received === b.received ? 0 : a.received > b.received ? 1 : -1;
}
