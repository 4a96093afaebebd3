import { ask } from "../../base/deadline.ts";
import { fail } from "../../errors/error.ts";
import type { ClusterOperations } from "../operations.ts";
import type { Change } from "../../cluster/situation.ts";

const catchUpMs = 30_000;
/** A replica nearer than this catches up while the leader stops. */
const nearBytes = 16n * 1024n * 1024n;
/**
 * Once it is that near, it has received and replayed everything within this time, before anybody waits; reads that are
 * in the way are ended after the other.
 */
const followMs = 10_000;
export const readsEndAfterMs = 3_000;
/** While connections wait, they are ended sooner. */
export const readsEndInChangeAfterMs = 300;
const replayMs = 5_000;

/**
 * A planned change of leader. What takes long is done while the old one still leads; then connections wait, the old one
 * stops and so hands over its last WAL, the new one has replayed it, and is promoted. A failure before the promotion
 * leaves the old leader the leader. Resolves with the milliseconds in which nobody led.
 */
export async function switchOver(operations: ClusterOperations, change: Change): Promise<number> {
  const { from } = change;
  const [to = ""] = change.candidates;
  if ((await operations.standing(to))?.recovering === false) {
    await finish(operations, from, to);
    return 0;
  }
  if (!(await operations.begin({ kind: "switchover", to, because: change.because })))
    throw fail("busy", { what: `cluster ${operations.app}`, by: "a change of leader" });
  try {
    await prepare(operations, from, to);
  } catch (error) {
    await operations.withdraw();
    throw error;
  }
  const goOn = await operations.pause();
  const began = performance.now();
  let rest: () => Promise<void>;
  try {
    await operations.hold();
    await handOver(operations, from, to);
    rest = await takeOver(operations, from, to);
  } finally {
    await goOn();
  }
  const ms = performance.now() - began;
  await rest();
  return ms;
}

/**
 * A perchd that was killed has left it promoted already. Where the old leader still runs it was somebody else, and that
 * leads to nothing.
 */
async function finish(operations: ClusterOperations, from: string, to: string): Promise<void> {
  if (await operations.lives(from)) {
    await operations.withdraw();
    throw fail("replica_unfit", { machine: to, app: operations.app, why: "it was promoted by hand" });
  }
  await (
    await takeOver(operations, from, to)
  )();
}

/** The former leader stopped in order, so it has all that was acknowledged. */
async function takeOver(operations: ClusterOperations, from: string, to: string): Promise<() => Promise<void>> {
  const whole = (await operations.lastCheckpoint(from)) !== undefined;
  await operations.crown(to, { whole });
  const rest = await operations.gather(to, whole ? from : undefined);
  await operations.open(to);
  return rest;
}

/**
 * Everything that can be done before anybody waits: both write out what they have in memory, and the new one comes
 * near, and then to the very end.
 */
async function prepare(operations: ClusterOperations, from: string, to: string): Promise<void> {
  const unfit = (why: string) => fail("replica_unfit", { machine: to, app: operations.app, why });
  if ((await operations.standing(to)) === undefined) throw unfit("it does not answer");
  await operations.arm(to);
  const old = await operations.standing(from);
  if (old === undefined) return; // a perchd that was killed had stopped it already
  await operations.checkpoint(from);
  await operations.checkpoint(to);
  const both = async () => [await operations.standing(from), await operations.standing(to)] as const;
  const near = async () => {
    const [leader, next] = await both();
    return leader !== undefined && next !== undefined && leader.replayed - next.received <= nearBytes
      ? leader
      : undefined;
  };
  const leader = await ask(near, { everyMs: 100, withinMs: catchUpMs });
  if (leader === undefined) throw unfit(`it is more than ${nearBytes >> 20n} MB of WAL behind`);
  // What does not move now would not move while everybody waits, either.
  let last = await operations.standing(to);
  const there = async () => {
    last = (await operations.standing(to)) ?? last;
    if (last !== undefined && last.replayed >= leader.replayed) return true;
    await operations.clearWay(to, readsEndAfterMs);
    return undefined;
  };
  if ((await ask(there, { everyMs: 20, withinMs: followMs })) === true) return;
  const received = last !== undefined && last.received >= leader.replayed;
  throw unfit(`it does not ${received ? "replay" : "receive"} what the leader wrote ${followMs / 1000} s ago`);
}

async function handOver(operations: ClusterOperations, from: string, to: string): Promise<void> {
  try {
    await operations.stop(from, to);
    const checkpoint = await operations.lastCheckpoint(from);
    // A leader that was killed while it stopped has not handed over everything: it alone may have the last commits.
    if (checkpoint === undefined)
      throw fail("replica_unfit", { machine: to, app: operations.app, why: `machine ${from} did not stop in order` });
    await replayed(operations, to, checkpoint);
    await operations.promote(to);
  } catch (error) {
    await operations.withdraw();
    await operations.letGo();
    throw error;
  }
}

async function replayed(operations: ClusterOperations, to: string, checkpoint: bigint): Promise<void> {
  const all = async () => {
    const at = await operations.standing(to);
    if (at !== undefined && at.replayed > checkpoint) return "all";
    if (at !== undefined) await operations.clearWay(to, readsEndInChangeAfterMs);
    // One that died meanwhile is not waited for: the old leader can be back sooner.
    return at === undefined && !(await operations.lives(to)) ? "dead" : undefined;
  };
  // Asked again until the time is over, and the error then says what is missing.
  const found = await ask(() => all().catch(() => undefined), { everyMs: 5, withinMs: replayMs });
  if (found === "all") return;
  const why =
    found === "dead"
      ? "it died when its turn came"
      : `it did not replay the leader's last WAL within ${replayMs / 1000} s`;
  throw fail("replica_unfit", { machine: to, app: operations.app, why });
}
