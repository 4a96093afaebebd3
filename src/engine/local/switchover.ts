import { ask } from "../../base/deadline.ts";
import { fail } from "../../errors/error.ts";
import { readControlFile } from "../../postgres/data.ts";
import { find } from "../../postgres/postmaster.ts";
import { promote, standing } from "../../postgres/replication.ts";
import { stop } from "../../postgres/server.ts";
import type { Session } from "../../postgres/sql.ts";
import type { Hands } from "../hands.ts";
import type { Change } from "../situation.ts";

const catchUpMs = 30_000;
const stopMs = 10_000;
/** A replica nearer than this catches up while the leader stops. */
const nearBytes = 16n * 1024n * 1024n;

/**
 * A planned change of leader. What takes long is done while the old one still leads; then connections wait, the old one stops and so hands over its last
 * WAL, the new one has replayed it, and is promoted. A failure before the promotion leaves the old leader the leader. Resolves with the milliseconds in
 * which nobody led.
 */
export async function switchOver(hands: Hands, change: Change): Promise<number> {
  const { from } = change;
  const [to = ""] = change.candidates;
  if (await finished(hands, to)) return 0;
  if (!(await hands.begin({ kind: "switchover", to, because: change.because })))
    throw fail("busy", { what: `cluster ${hands.app}`, by: "a change of leader" });
  try {
    await prepare(hands, from, to);
  } catch (error) {
    await hands.withdraw();
    throw error;
  }
  const goOn = await hands.pause();
  const began = performance.now();
  try {
    await hands.hold();
    await handOver(hands, from, to);
    await hands.open(to);
    return performance.now() - began;
  } finally {
    await goOn();
  }
}

/** A perchd that was killed may have left it promoted already. */
async function finished(hands: Hands, to: string): Promise<boolean> {
  const session = await hands.session(to);
  if (session === undefined || (await standing(session)).recovering) return false;
  await hands.crown(to);
  await hands.open(to);
  return true;
}

/** Everything that can be done before anybody waits: both write out what they have in memory, and the new one comes near. */
async function prepare(hands: Hands, from: string, to: string): Promise<void> {
  const [old, next] = [await hands.session(from), await hands.session(to)];
  if (next === undefined) throw fail("replica_unfit", { machine: to, app: hands.app, why: "it does not answer" });
  if (old === undefined) return; // a perchd that was killed had stopped it already
  await old.query("CHECKPOINT", [], 600_000);
  await next.query("CHECKPOINT", [], 600_000);
  const near = async () => ((await standing(old)).replayed - (await standing(next)).replayed <= nearBytes ? true : undefined);
  if ((await ask(near, { everyMs: 100, withinMs: catchUpMs })) !== true)
    throw fail("replica_unfit", { machine: to, app: hands.app, why: `it is more than ${nearBytes >> 20n} MB of WAL behind` });
}

async function handOver(hands: Hands, from: string, to: string): Promise<void> {
  try {
    await hands.leave(from);
    const old = await hands.member(from);
    await stop(old, "fast", stopMs);
    const last = await readControlFile(old.layout);
    // A leader that was killed while it stopped has not handed over everything: it alone may have the last commits.
    if (last?.state !== "shut down") throw fail("replica_unfit", { machine: to, app: hands.app, why: `machine ${from} did not stop in order` });
    const next = await replayed(hands, to, last.checkpoint);
    await promote(next);
  } catch (error) {
    await hands.withdraw();
    await hands.letGo();
    throw error;
  }
  await hands.crown(to);
}

async function replayed(hands: Hands, to: string, checkpoint: bigint): Promise<Session> {
  const all = async () => {
    const session = await hands.session(to);
    if (session !== undefined) return (await standing(session)).replayed > checkpoint ? session : undefined;
    // One that died meanwhile is not waited for: the old leader can be back sooner.
    return (await find((await hands.member(to)).layout)) === undefined ? "dead" : undefined;
  };
  const session = await ask(() => all().catch(() => undefined), { everyMs: 5, withinMs: 5_000 });
  if (session === "dead") throw fail("replica_unfit", { machine: to, app: hands.app, why: "it died when its turn came" });
  if (session === undefined) throw fail("replica_unfit", { machine: to, app: hands.app, why: "it did not replay the leader's last WAL within 5 s" });
  return session;
}
