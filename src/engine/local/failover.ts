import { ask } from "../../base/deadline.ts";
import { fail } from "../../errors/error.ts";
import { inheritWal } from "../../postgres/inherit.ts";
import { promote, type Standing, standing } from "../../postgres/replication.ts";
import type { Session } from "../../postgres/sql.ts";
import type { Hands } from "../hands.ts";
import type { Change } from "../situation.ts";

/**
 * The leader is lost: it is ended for good, whatever is left of it, and the most advanced candidate leads. Resolves with the milliseconds it took. A perchd
 * killed in the middle finds the same case again, or a member that is promoted already.
 */
export async function failOver(hands: Hands, change: Change): Promise<{ to: string; ms: number }> {
  const { from, candidates } = change;
  const began = performance.now();
  await hands.hold();
  try {
    if (!candidates.includes(from)) {
      await hands.leave(from);
      await hands.kill(from); // first: two leaders are worse than none
    }
    const best = await mostAdvanced(hands, candidates);
    await hands.begin({ kind: "failover", to: best.id, because: change.because });
    if (best.at.recovering) {
      if (best.id !== from) await inherit(hands, from, best);
      await promote(best.session);
    }
    await hands.crown(best.id);
    await hands.open(best.id);
    return { to: best.id, ms: performance.now() - began };
  } catch (error) {
    await hands.letGo();
    throw error;
  }
}

/**
 * Where the dead leader's WAL can be read, nothing of it is lost. The replica looks into its pg_wal again after each attempt to reach a leader; it has looked once the
 * position it replayed has not moved for longer than that takes.
 */
async function inherit(hands: Hands, from: string, { id, session, at }: Candidate): Promise<void> {
  const [row] = await session.query<{ bytes: string }>("SELECT pg_size_bytes(current_setting('wal_segment_size')) AS bytes");
  const inherited = await inheritWal(await hands.member(id), await hands.member(from), at, BigInt(row?.bytes ?? 16_777_216));
  if (inherited.length === 0) return;
  let last = { replayed: -1n, since: performance.now() };
  const settled = async () => {
    const { replayed } = await standing(session);
    if (replayed !== last.replayed) last = { replayed, since: performance.now() };
    return performance.now() - last.since > lookAgainMs ? true : undefined;
  };
  await ask(settled, { everyMs: 20, withinMs: replayMs });
  hands.say(`machine ${id} has all that ${from} wrote: its WAL was there to be read`);
}

/** Twice wal_retrieve_retry_interval, and some. */
const lookAgainMs = 1_200;
const replayMs = 600_000;

interface Candidate {
  id: string;
  session: Session;
  at: Standing;
}

/** Asked when no WAL comes in any more. One that was promoted already goes before all others; then who has received most, on the latest timeline. */
async function mostAdvanced(hands: Hands, ids: readonly string[]): Promise<Candidate> {
  const look = async (id: string): Promise<Candidate | undefined> => {
    const session = await hands.session(id);
    return session === undefined ? undefined : { id, session, at: await standing(session) };
  };
  const settled = await ask(
    async () => {
      const found = (await Promise.all(ids.map((id) => look(id).catch(() => undefined)))).filter((one) => one !== undefined);
      return found.length > 0 && found.every(({ at }) => !at.streaming) ? found : undefined;
    },
    { everyMs: 10, withinMs: 5_000 },
  );
  const [best] = (settled ?? []).toSorted((a, b) => further(b.at, a.at));
  if (best === undefined) throw fail("no_active_leader", { app: hands.app, why: "no replica answers", machine: ids[0] ?? "" });
  return best;
}

function further(a: Standing, b: Standing): number {
  if (a.recovering !== b.recovering) return a.recovering ? -1 : 1;
  if (a.timeline !== b.timeline) return a.timeline - b.timeline;
  return a.received === b.received ? 0 : a.received > b.received ? 1 : -1;
}
