import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import type { ClusterRecord, Synchronous } from "../model/records.ts";
import { reload } from "../postgres/instance/server.ts";
import type { Session } from "../postgres/sql/session.ts";
import { type Context, memberOf, passwordsOf } from "../cluster/context.ts";
import { leaderMember, machineOf, writeFiles } from "./members.ts";

/**
 * Changes whom the leader waits for. What the record promises (`holders`: one of them has every acknowledged commit)
 * must be true at every moment, whoever is killed in between: a promise is written down after it holds and taken back
 * before it ends. So new names come into force before they are holders, and when nobody is left, the promise goes
 * first.
 */
export async function synchronise(context: Context, cluster: ClusterRecord, names: readonly string[]): Promise<void> {
  const { state } = context;
  const before = cluster.synchronous?.holders ?? [];
  const write = async (synchronous: Synchronous): Promise<ClusterRecord> => {
    const changed = await state.clusters.update(cluster, (record) =>
      record.synchronous === undefined ? record : { ...record, synchronous },
    );
    return changed ?? cluster;
  };
  const wanted = [...names];
  // While both the old and the new names may acknowledge, one of all of them has a commit.
  const between = wanted.length === 0 || before.length === 0 ? [] : [...new Set([...before, ...wanted])];
  const record = await write({ names: wanted, holders: between });
  const machine = await machineOf(context, cluster.leader);
  await writeFiles(context, record, machine);
  await reload(memberOf(context, record, machine));
  const { perch } = await passwordsOf(context, cluster.app);
  const session = await context.monitors.session(await leaderMember(context, record), perch);
  if (session === undefined)
    throw fail("no_active_leader", {
      app: cluster.app,
      why: context.monitors.silence(cluster.leader),
      machine: cluster.leader,
    });
  await inForce(session, cluster.app, wanted);
  if (wanted.length > 0) await write({ names: wanted, holders: wanted });
}

/** The leader waits for these alone, and one of them has everything from before. */
async function inForce(session: Session, app: string, names: readonly string[]): Promise<void> {
  const [here] = await session.query<{ position: string }>("SELECT pg_current_wal_lsn()::text AS position");
  const asked = async () => {
    const rows = await session.query<{ id: string; waited: boolean; has: boolean }>(
      `SELECT application_name AS id, sync_state IN ('quorum', 'sync') AS waited, flush_lsn >= $1::pg_lsn AS has
         FROM pg_stat_replication WHERE state = 'streaming'`,
      [here?.position ?? "0/0"],
    );
    const waited = rows.filter((row) => row.waited);
    if (waited.some((row) => !names.includes(row.id))) return undefined;
    return names.length === 0 || waited.some((row) => row.has) ? true : undefined;
  };
  if ((await ask(asked, { everyMs: 10, withinMs: 10_000 })) !== true)
    throw fail("sql_failed", { app, why: "no replica acknowledged within 10 s what the leader waits for" });
}
