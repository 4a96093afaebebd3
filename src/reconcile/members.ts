import { ask } from "../base/deadline.ts";
import { fail } from "../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { superuser } from "../postgres/access.ts";
import { takeBaseBackup } from "../postgres/base-backup.ts";
import { configure } from "../postgres/configure.ts";
import { hasData, type Member, makeDirectories, removeData } from "../postgres/directory.ts";
import { initialise } from "../postgres/initialise.ts";
import { lastLogLines } from "../postgres/logs.ts";
import { slotOf, standing } from "../postgres/replication.ts";
import { bootstrap } from "../postgres/roles.ts";
import { find } from "../postgres/postmaster.ts";
import { align } from "../postgres/rewind.ts";
import { endWholly, start, stop } from "../postgres/server.ts";
import { connect, withSession } from "../postgres/sql.ts";
import { certify } from "./certify.ts";
import { configurationOf, type Context, memberOf, passwordsOf } from "./context.ts";
import { choosePorts } from "./portable-ports.ts";

/** How a member comes to be and starts: the deeds behind the steps of `apply.ts`. */
export async function machineOf({ state }: Context, id: string): Promise<MachineRecord> {
  const machine = await state.machines.get({ id });
  if (machine === undefined) throw fail("machine_not_found", { machine: id });
  return machine;
}

export const leaderMember = async (context: Context, cluster: ClusterRecord): Promise<Member> =>
  memberOf(context, cluster, await machineOf(context, cluster.leader));

export async function writeFiles(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<"reload" | "nothing"> {
  const member = memberOf(context, cluster, machine);
  const leader = machine.id === cluster.leader ? undefined : await machineOf(context, cluster.leader);
  const { replicator } = await passwordsOf(context, cluster.app);
  const certified = await certify(context, cluster, machine);
  const configured = await configure(member, configurationOf(context, cluster, machine, leader, replicator));
  return certified ? "reload" : configured;
}

export async function startMember(context: Context, cluster: ClusterRecord, machine: MachineRecord, signal: AbortSignal): Promise<void> {
  const ready = await choosePorts(context, machine);
  const member = memberOf(context, cluster, ready);
  await makeDirectories(member);
  if (ready.id !== cluster.leader && (await alignWithLeader(context, cluster, ready, signal)) === "copy") return;
  await writeFiles(context, cluster, ready);
  await context.publish(); // its address must be there before it listens on it
  await start(member, { signal });
  if (ready.phase === "creating" && ready.id !== cluster.leader) await awaitStreaming(context, member, signal);
}

/**
 * A former leader, before it starts as a replica, must not have more than the present one. "copy": its data is removed, so that it is copied anew. While the
 * leader does not answer, nobody can tell, and it is started as it is.
 */
async function alignWithLeader(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  signal: AbortSignal,
  stranded = false,
): Promise<"ready" | "copy"> {
  const member = memberOf(context, cluster, machine);
  const leader = await leaderMember(context, cluster);
  const { perch } = await passwordsOf(context, cluster.app);
  const session = await context.monitors.session(leader, perch);
  if (session === undefined || (await find(member.layout)) !== undefined) return "ready";
  await endWholly(member, machine.process);
  const outcome = await align(member, { leader, session, password: perch }, signal);
  if (outcome === "fits" && !stranded) return "ready";
  context.say(
    cluster.app,
    outcome === "rewound"
      ? `machine ${machine.id} had WAL that the leader never had; pg_rewind took it back to where the two parted`
      : `machine ${machine.id} cannot follow the leader as it is; it is copied anew`,
  );
  if (outcome === "rewound") return "ready";
  await removeData(member.layout);
  return "copy";
}

/** A replica that runs and cannot follow: ended, rewound if that is enough, else its data goes and it is copied anew. */
export async function rejoinMember(context: Context, cluster: ClusterRecord, machine: MachineRecord, signal: AbortSignal): Promise<void> {
  const member = memberOf(context, cluster, machine);
  await context.monitors.drop(machine.id);
  await stop(member, "fast", 10_000);
  if ((await alignWithLeader(context, cluster, machine, signal, true)) === "copy") return;
  return startMember(context, cluster, machine, signal);
}

/** A replica is made only when WAL comes in: one that cannot reach its leader is a failure now, not a surprise later. */
async function awaitStreaming(context: Context, member: Member, signal: AbortSignal): Promise<void> {
  const { perch } = await passwordsOf(context, member.app);
  const streams = async () => {
    const session = await context.monitors.session(member, perch);
    return session !== undefined && (await standing(session)).streaming ? true : undefined;
  };
  if ((await ask(streams, { everyMs: 20, withinMs: streamingWithinMs, signal })) === true) return;
  const words = (await lastLogLines(member.layout.log, 20)).filter((line) => line.level === "FATAL" || line.level === "ERROR");
  throw fail("replica_not_streaming", {
    machine: member.id,
    app: member.app,
    seconds: streamingWithinMs / 1000,
    why: words.at(-1)?.message ?? "its log says nothing",
  });
}

const streamingWithinMs = 60_000;

export async function initialiseLeader(context: Context, cluster: ClusterRecord, machine: MachineRecord, signal: AbortSignal): Promise<void> {
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

export async function copyLeader(context: Context, cluster: ClusterRecord, machine: MachineRecord, signal: AbortSignal): Promise<void> {
  const passwords = await passwordsOf(context, cluster.app);
  const leader = await leaderMember(context, cluster);
  const member = memberOf(context, cluster, machine);
  await makeDirectories(member);
  if (!(await hasData(member.layout))) await removeData(member.layout); // what is left of one that was half removed
  const open = () => connect(leader, { user: superuser, password: passwords.perch });
  const source = { leader, open, replicationPassword: passwords.replicator, slot: slotOf(machine.id) };
  await bothDone(takeBaseBackup(member, source, { signal }), certify(context, cluster, machine));
}

/** Side by side, and neither left running when the other fails. */
async function bothDone(...work: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work);
  await Promise.all(work);
}
