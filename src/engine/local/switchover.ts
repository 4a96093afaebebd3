import { ask } from "../../base/deadline.ts";
import { fail } from "../../errors/error.ts";
import type { Hands } from "../hands.ts";
import type { Change } from "../situation.ts";

const catchUpMs = 30_000;
/** A replica nearer than this catches up while the leader stops. */
const nearBytes = 16n * 1024n * 1024n;
/** Once it is that near, it has received and replayed everything within this time, before anybody waits; reads that are in the way are ended after the other. */
const followMs = 10_000;
export const readsEndAfterMs = 3_000;
/** While connections wait, they are ended sooner. */
export const readsEndInChangeAfterMs = 300;
const replayMs = 5_000;

/**
 * A planned change of leader. What takes long is done while the old one still leads; then connections wait, the old one stops and so hands over its last
 * WAL, the new one has replayed it, and is promoted. A failure before the promotion leaves the old leader the leader. Resolves with the milliseconds in
 * which nobody led.
 */
export async function switchOver(hands: Hands, change: Change): Promise<number> {
  const { from } = change;
  const [to = ""] = change.candidates;
  if ((await hands.standing(to))?.recovering === false) {
    await finish(hands, from, to);
    return 0;
  }
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
  let rest: () => Promise<void>;
  try {
    await hands.hold();
    await handOver(hands, from, to);
    rest = await takeOver(hands, from, to);
  } finally {
    await goOn();
  }
  const ms = performance.now() - began;
  await rest();
  return ms;
}

/** A perchd that was killed has left it promoted already. Where the old leader still runs it was somebody else, and that leads to nothing. */
async function finish(hands: Hands, from: string, to: string): Promise<void> {
  if (await hands.lives(from)) {
    await hands.withdraw();
    throw fail("replica_unfit", { machine: to, app: hands.app, why: "it was promoted by hand" });
  }
  await (
    await takeOver(hands, from, to)
  )();
}

/** The former leader stopped in order, so it has all that was acknowledged. */
async function takeOver(hands: Hands, from: string, to: string): Promise<() => Promise<void>> {
  const whole = (await hands.lastCheckpoint(from)) !== undefined;
  await hands.crown(to, { whole });
  const rest = await hands.gather(to, whole ? from : undefined);
  await hands.open(to);
  return rest;
}

/** Everything that can be done before anybody waits: both write out what they have in memory, and the new one comes near, and then to the very end. */
async function prepare(hands: Hands, from: string, to: string): Promise<void> {
  const unfit = (why: string) => fail("replica_unfit", { machine: to, app: hands.app, why });
  if ((await hands.standing(to)) === undefined) throw unfit("it does not answer");
  await hands.arm(to);
  const old = await hands.standing(from);
  if (old === undefined) return; // a perchd that was killed had stopped it already
  await hands.checkpoint(from);
  await hands.checkpoint(to);
  const both = async () => [await hands.standing(from), await hands.standing(to)] as const;
  const near = async () => {
    const [leader, next] = await both();
    return leader !== undefined && next !== undefined && leader.replayed - next.received <= nearBytes ? leader : undefined;
  };
  const leader = await ask(near, { everyMs: 100, withinMs: catchUpMs });
  if (leader === undefined) throw unfit(`it is more than ${nearBytes >> 20n} MB of WAL behind`);
  // What does not move now would not move while everybody waits, either.
  let last = await hands.standing(to);
  const there = async () => {
    last = (await hands.standing(to)) ?? last;
    if (last !== undefined && last.replayed >= leader.replayed) return true;
    await hands.clearWay(to, readsEndAfterMs);
    return undefined;
  };
  if ((await ask(there, { everyMs: 20, withinMs: followMs })) === true) return;
  const received = last !== undefined && last.received >= leader.replayed;
  throw unfit(`it does not ${received ? "replay" : "receive"} what the leader wrote ${followMs / 1000} s ago`);
}

async function handOver(hands: Hands, from: string, to: string): Promise<void> {
  try {
    await hands.stop(from, to);
    const checkpoint = await hands.lastCheckpoint(from);
    // A leader that was killed while it stopped has not handed over everything: it alone may have the last commits.
    if (checkpoint === undefined) throw fail("replica_unfit", { machine: to, app: hands.app, why: `machine ${from} did not stop in order` });
    await replayed(hands, to, checkpoint);
    await hands.promote(to);
  } catch (error) {
    await hands.withdraw();
    await hands.letGo();
    throw error;
  }
}

async function replayed(hands: Hands, to: string, checkpoint: bigint): Promise<void> {
  const all = async () => {
    const at = await hands.standing(to);
    if (at !== undefined && at.replayed > checkpoint) return "all";
    if (at !== undefined) await hands.clearWay(to, readsEndInChangeAfterMs);
    // One that died meanwhile is not waited for: the old leader can be back sooner.
    return at === undefined && !(await hands.lives(to)) ? "dead" : undefined;
  };
  const found = await ask(() => all().catch(() => undefined), { everyMs: 5, withinMs: replayMs });
  if (found === "all") return;
  const why = found === "dead" ? "it died when its turn came" : `it did not replay the leader's last WAL within ${replayMs / 1000} s`;
  throw fail("replica_unfit", { machine: to, app: hands.app, why });
}
