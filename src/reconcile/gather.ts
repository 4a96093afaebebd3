import { ask } from "../base/deadline.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { hasData } from "../postgres/instance/directory.ts";
import { find } from "../postgres/instance/postmaster.ts";
import { createSlot, slotOf } from "../postgres/replication/replication.ts";
import { reload } from "../postgres/instance/server.ts";
import { aloneAfterMs } from "./commit-patience.ts";
import { type Context, memberOf, passwordsOf } from "../cluster/context.ts";
import { machineOf, startMember, writeFiles } from "./members.ts";

/**
 * With synchronous replication a new leader acknowledges nothing alone, so that its replicas are there before its
 * connections are: each has a slot and is told whom it follows, and the former leader, where it stopped in order, is
 * started as one of them. Resolves when one that the leader waits for streams, or after the time for that, with what
 * resolves when nothing of this is under way any more. Without synchronous replication the loop does all of it, and
 * nobody waits.
 */
export async function gather(
  context: Context,
  app: string,
  id: string,
  former: string | undefined,
): Promise<() => Promise<void>> {
  const cluster = await context.state.clusters.get({ app });
  if (cluster?.synchronous === undefined) return () => Promise.resolve();
  const signal = AbortSignal.timeout(aloneAfterMs);
  const warn = (error: unknown): void =>
    context.log.warn({ err: error }, "a member does not follow its new leader yet");
  const leader = await machineOf(context, id);
  await refresh(context, cluster, leader);
  if (cluster.synchronous.names.length === 0) return () => Promise.resolve();
  const others = (await context.state.machines.list()).filter(
    (machine) =>
      machine.app === app &&
      machine.kind === "postgres" &&
      machine.id !== id &&
      machine.phase === "ready" &&
      machine.wanted === "started",
  );
  await giveSlots(context, cluster, leader, others).catch(warn);
  const under = others.map((machine) =>
    follow(context, cluster, machine, { start: machine.id === former, signal }).catch(warn),
  );
  await ask(() => waitedFor(context, cluster, leader), { everyMs: 10, withinMs: aloneAfterMs }).catch(warn);
  return async () => void (await Promise.all(under));
}

async function refresh(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<void> {
  if ((await writeFiles(context, cluster, machine)) === "reload") await reload(memberOf(context, cluster, machine));
}

async function follow(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  at: { start: boolean; signal: AbortSignal },
): Promise<void> {
  const { layout } = memberOf(context, cluster, machine);
  if ((await find(layout)) !== undefined) return refresh(context, cluster, machine);
  if (at.start && (await hasData(layout))) await startMember(context, cluster, machine, at.signal);
}

async function giveSlots(
  context: Context,
  cluster: ClusterRecord,
  leader: MachineRecord,
  others: readonly MachineRecord[],
): Promise<void> {
  const session = await sessionWith(context, cluster, leader);
  if (session !== undefined) for (const { id } of others) await createSlot(session, slotOf(id));
}

const sessionWith = async (context: Context, cluster: ClusterRecord, machine: MachineRecord) =>
  context.monitors.session(memberOf(context, cluster, machine), (await passwordsOf(context, cluster.app)).perch);

/**
 * Whether one streams that the leader waits for. A leader whose data is gone meanwhile is not waited for any longer.
 */
async function waitedFor(context: Context, cluster: ClusterRecord, leader: MachineRecord): Promise<true | undefined> {
  if (!(await hasData(memberOf(context, cluster, leader).layout))) return true;
  const session = await sessionWith(context, cluster, leader);
  const rows = await session?.query(
    "SELECT FROM pg_catalog.pg_stat_replication WHERE state = 'streaming' AND sync_state IN ('quorum', 'sync')",
  );
  return (rows?.length ?? 0) > 0 ? true : undefined;
}
