import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { inspectProgram, renewCopy } from "../postgres/instance/binaries.ts";
import { configure } from "../postgres/instance/configure.ts";
import { unfitBecause } from "../postgres/instance/data-removal.ts";
import { type Member, makeDirectories } from "../postgres/instance/directory.ts";
import { initialise } from "../postgres/instance/initdb.ts";
import { lastLogLines } from "../postgres/instance/logs.ts";
import { restoreOwnRoles } from "../postgres/sql/own-roles.ts";
import { find } from "../postgres/instance/postmaster.ts";
import { standing } from "../postgres/replication/replication.ts";
import { bootstrap } from "../postgres/sql/roles.ts";
import { start } from "../postgres/instance/server.ts";
import { withSession } from "../postgres/sql/session.ts";
import { certify } from "../cluster/certificates.ts";
import { moveToOwnUser } from "./change-user.ts";
import { configurationOf, type Context, memberOf, passwordsOf } from "../cluster/context.ts";
import { choosePorts } from "./portable-ports.ts";
import { startOrTakeBack } from "./take-back.ts";

/** How a member comes to be and starts: the deeds behind the steps of `apply.ts`. */
export async function machineOf({ state }: Context, id: string): Promise<MachineRecord> {
  const machine = await state.machines.get({ id });
  if (machine === undefined) throw fail("machine_not_found", { machine: id });
  return machine;
}

export const leaderMember = async (context: Context, cluster: ClusterRecord): Promise<Member> =>
  memberOf(context, cluster, await machineOf(context, cluster.leader));

export async function writeFiles(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
): Promise<"reload" | "nothing"> {
  const member = memberOf(context, cluster, machine);
  const leader = machine.id === cluster.leader ? undefined : await machineOf(context, cluster.leader);
  const { replicator } = await passwordsOf(context, cluster.app);
  const certified = await certify(context, cluster, machine);
  const configured = await configure(member, configurationOf(context, cluster, machine, leader, replicator));
  return certified ? "reload" : configured;
}

/** Rejects with `postgres_binaries_gone`: no server can be started, and no data is the worse for it. */
export async function requireProgram({ app, binaries }: ClusterRecord): Promise<void> {
  const { problem } = await inspectProgram(binaries);
  if (problem !== undefined) throw fail("postgres_binaries_gone", { app, why: problem });
}

/** After somebody changed them: see `own-roles.ts`. */
export async function restoreRolesOf(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<void> {
  const { perch, replicator } = await passwordsOf(context, cluster.app);
  const wanted = configurationOf(context, cluster, machine, undefined, replicator);
  const done = await restoreOwnRoles(memberOf(context, cluster, machine), wanted, {
    superuser: perch,
    replication: replicator,
  });
  context.say(cluster.app, `PostgreSQL of ${cluster.app} refused Perch's own login; ${done.join(", ")}`);
}

export async function startMember(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  signal: AbortSignal,
): Promise<void> {
  if (
    (await inspectProgram(cluster.binaries)).problem !== undefined &&
    (await renewCopy(cluster.binaries, `${context.home.postgres}/tools`))
  )
    context.say(cluster.app, `the copy of PostgreSQL in ${cluster.binaries} was broken and is made again.`);
  await requireProgram(cluster);
  const ready = await choosePorts(context, machine);
  const unfit = await unfitBecause(memberOf(context, cluster, ready).layout);
  if (unfit !== undefined)
    throw fail("postgres_start_failed", {
      machine: ready.id,
      app: cluster.app,
      why: `${unfit}; it is copied when the leader answers`,
    });
  await moveToOwnUser(context, cluster, ready);
  const member = memberOf(context, cluster, ready);
  await makeDirectories(member);
  const begin = async (record: ClusterRecord) => {
    await writeFiles(context, record, ready);
    await context.publish(); // its address must be there before it listens on it
    await start(member, { signal });
  };
  await startOrTakeBack(
    context,
    { cluster, machine: ready.id },
    begin,
    async () => !signal.aborted && (await find(member.layout)) === undefined,
  );
  if (ready.phase === "creating" && ready.id !== cluster.leader) await awaitStreaming(context, member, signal);
}

/**
 * A replica is made only when WAL comes in: one that cannot reach its leader is a failure now, not a surprise later.
 */
async function awaitStreaming(context: Context, member: Member, signal: AbortSignal): Promise<void> {
  const { perch } = await passwordsOf(context, member.app);
  const streams = async () => {
    const session = await context.monitors.session(member, perch);
    return session !== undefined && (await standing(session)).streaming ? true : undefined;
  };
  if ((await ask(streams, { everyMs: 20, withinMs: streamingWithinMs, signal })) === true) return;
  const words = (await lastLogLines(member.layout.log, 20)).filter(
    (line) => line.level === "FATAL" || line.level === "ERROR",
  );
  throw fail("replica_not_streaming", {
    machine: member.id,
    app: member.app,
    seconds: streamingWithinMs / 1000,
    why: words.at(-1)?.message ?? "its log says nothing",
  });
}

const streamingWithinMs = 60_000;

export async function initialiseLeader(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  signal: AbortSignal,
): Promise<void> {
  const passwords = await passwordsOf(context, cluster.app);
  const empty = memberOf(context, cluster, machine);
  await makeDirectories(empty);
  await bothDone(initialise(empty, { password: passwords.operator, signal }), certify(context, cluster, machine));
  await startMember(context, cluster, machine, signal);
  const member = memberOf(context, cluster, await machineOf(context, machine.id));
  await withSession(member, { user: "postgres", password: passwords.operator }, (session) =>
    bootstrap(session, { superuser: passwords.perch, replication: passwords.replicator }),
  );
}

/** Side by side, and neither left running when the other fails. */
export async function bothDone(...work: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}
