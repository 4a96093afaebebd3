/** A replica before it is promoted: what it must have and know, and what must not keep it from replaying. */
import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import type { ClusterRecord } from "../model/records.ts";
import { endConflicts, resumeReplay } from "../postgres/replication/conflicts.ts";
import type { Member } from "../postgres/instance/directory.ts";
import { inheritTimelines, inheritWal } from "../postgres/replication/salvage-wal.ts";
import { type Standing, standing } from "../postgres/replication/replication.ts";
import { reload } from "../postgres/instance/server.ts";
import type { Session } from "../postgres/sql/session.ts";
import { type Context, memberOf, standbyNames } from "../cluster/context.ts";
import { machineOf, writeFiles } from "./members.ts";
import { standbysOf } from "../cluster/synchronous-standbys.ts";

const reloadMs = 5_000;

/**
 * From its first commit on it waits for those who have to have it, too, and it replays. It has that in its files since
 * it follows, so that there is nothing to do but to look.
 */
export async function arm(context: Context, cluster: ClusterRecord, id: string, session: Session): Promise<void> {
  const record = (await context.state.clusters.get(cluster)) ?? cluster;
  const machine = await machineOf(context, id);
  const written = await writeFiles(context, record, machine);
  if (written === "reload") await reload(memberOf(context, record, machine));
  const wanted = standbyNames(standbysOf(record, id));
  const known = async () => {
    const [row] = await session.query<{ names: string }>(
      "SELECT pg_catalog.current_setting('synchronous_standby_names') AS names",
    );
    return row?.names === wanted ? true : undefined;
  };
  if ((await ask(known, { everyMs: 10, withinMs: reloadMs })) !== true)
    throw fail("replica_unfit", { machine: id, app: record.app, why: "it did not read its settings" });
  // The process that tells all others of it does so before it writes what it was asked to write.
  if (written === "reload" && wanted !== "") await session.query("CHECKPOINT", [], 600_000);
  if (await resumeReplay(session))
    context.say(record.app, `the replay of machine ${id} was paused by hand; it goes on, because it is to lead`);
}

/**
 * Ends the sessions that keep a replica from replaying what it has received, once it has stood still for that long:
 * asked again and again, it remembers since when.
 */
export function clearance(
  session: (id: string) => Promise<Session>,
  say: (sentence: string) => void,
): (id: string, afterMs: number) => Promise<void> {
  const seen = new Map<string, { replayed: bigint; since: number }>();
  return async (id, afterMs) => {
    const at = await standing(await session(id));
    const before = seen.get(id);
    if (before === undefined || before.replayed !== at.replayed || at.replayed >= at.received) {
      seen.set(id, { replayed: at.replayed, since: performance.now() });
      return;
    }
    if (performance.now() - before.since < afterMs) return;
    const ended = await endConflicts(await session(id));
    if (ended > 0)
      say(
        `${ended === 1 ? "a session" : `${ended} sessions`} on machine ${id} ended: ${ended === 1 ? "it" : "they"} kept it from replaying what the leader had written`,
      );
  };
}

/** Twice wal_retrieve_retry_interval, and some. */
const lookAgainMs = 1_200;
const replayMs = 600_000;

/**
 * Where the dead leader's WAL can be read, nothing of it is lost. The replica looks into its pg_wal again after each
 * attempt to reach a leader; it has looked once the position it replayed has not moved for longer than that takes.
 * Gives the number of segments; undefined where they do not go on from what the replica has.
 */
export async function inherit(
  heir: Member,
  dead: Member,
  at: Standing,
  { session, meanwhile }: { session: Session; meanwhile: () => Promise<void> },
): Promise<number | undefined> {
  const [row] = await session.query<{ bytes: string }>(
    "SELECT pg_size_bytes(current_setting('wal_segment_size')) AS bytes",
  );
  const inherited = await inheritWal(heir, dead, at, BigInt(row?.bytes ?? 16_777_216));
  if (inherited === undefined || inherited.length === 0) return inherited?.length;
  let last = { replayed: -1n, since: performance.now() };
  const settled = async () => {
    const { replayed } = await standing(session);
    if (replayed !== last.replayed) last = { replayed, since: performance.now() };
    await meanwhile();
    return performance.now() - last.since > lookAgainMs ? true : undefined;
  };
  await ask(settled, { everyMs: 20, withinMs: replayMs });
  return inherited.length;
}

/** It knows of every timeline that any member has begun, so that its own gets a number of its own. */
export async function learnTimelines(context: Context, cluster: ClusterRecord, id: string): Promise<void> {
  const machines = (await context.state.machines.list()).filter(
    ({ app, kind }) => app === cluster.app && kind === "postgres",
  );
  const members = machines.map((machine) => memberOf(context, cluster, machine));
  const heir = members.find((member) => member.id === id);
  if (heir === undefined) return;
  await inheritTimelines(
    heir,
    members.filter((member) => member !== heir),
  );
}
