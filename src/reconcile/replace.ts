import { fail } from "../errors/error.ts";
import { exists } from "../host/files/files.ts";
import { diskRoom } from "../host/system/machine.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { superuser } from "../postgres/instance/hba.ts";
import { takeBaseBackup } from "../postgres/replication/base-backup.ts";
import { formerData, installCopy, nextData, removeFormer } from "../postgres/instance/data-removal.ts";
import { type Member, makeDirectories } from "../postgres/instance/directory.ts";
import { createSlot, dropSlot, slotOf } from "../postgres/replication/replication.ts";
import { endRewind, fitOf, rewind } from "../postgres/replication/rewind.ts";
import { endWholly, stop } from "../postgres/instance/server.ts";
import { connect, type Session } from "../postgres/sql/session.ts";
import { historyOf } from "../postgres/replication/timeline.ts";
import { size } from "../base/size.ts";
import { certify } from "../cluster/certificates.ts";
import { moveToOwnUser } from "./change-user.ts";
import { type Context, memberOf, passwordsOf } from "../cluster/context.ts";
import { alone, proofFor } from "./evidence.ts";
import { bothDone, leaderMember, startMember } from "./members.ts";

/**
 * A replica's data is replaced in steps, each of which leaves a state that the next pass goes on from, whoever is
 * killed: `copy` makes a whole copy under another name, `swap` puts it in place and keeps the former data, `discard`
 * removes that when the copy streams. `rewind` changes the data in place.
 */
export async function copyLeader(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  signal: AbortSignal,
): Promise<void> {
  const member = memberOf(context, cluster, machine);
  await makeDirectories(member);
  if (await exists(nextData(member.layout))) return;
  const passwords = await passwordsOf(context, cluster.app);
  const leader = await leaderMember(context, cluster);
  const open = () => connect(leader, { user: superuser, password: passwords.perch });
  const slot = slotOf(machine.id);
  // By the user that servers run as now, whoever's the data is that it takes the place of.
  const take = () =>
    takeBaseBackup(
      { ...member, place: context.place },
      { leader, open, replicationPassword: passwords.replicator, slot },
      { signal, into: nextData(member.layout) },
    );
  const session = await leading(context, cluster, leader, passwords.perch);
  await checkRoom(member, machine, session);
  if (await exists(member.layout.data)) {
    await checkSenders(member, session);
    await quiet(context, member, machine);
    // The server that was ended had moved the slot back to what it waited for, which is gone: it keeps WAL from now on.
    await dropSlot(session, slot);
    await createSlot(session, slot);
    return take();
  }
  await bothDone(take(), certify(context, cluster, machine));
  await installCopy(member, undefined);
}

/** What is in its place is kept beside it, until the copy streams. */
export async function swapData(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<void> {
  const member = memberOf(context, cluster, machine);
  await alone(context, cluster, machine, async () => {
    await quiet(context, member, machine);
    const proof = (await exists(member.layout.data)) ? await proofFor(context, cluster, machine, "data") : undefined;
    await installCopy(member, proof);
  });
}

export async function discardFormer(context: Context, cluster: ClusterRecord, machine: MachineRecord): Promise<void> {
  const member = memberOf(context, cluster, machine);
  if (!(await exists(formerData(member.layout)))) return;
  await alone(context, cluster, machine, async () => {
    const proof = await proofFor(context, cluster, machine, "former");
    await removeFormer(member, proof);
    context.say(cluster.app, `the former data of machine ${machine.id} is removed: ${proof.because}`);
  });
}

/**
 * A member that led, or that somebody promoted: taken back to where it parted from the leader, and started. Where that
 * cannot be, its data stays until it is copied.
 */
export async function rewindMember(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  signal: AbortSignal,
): Promise<void> {
  const member = memberOf(context, cluster, machine);
  const { perch } = await passwordsOf(context, cluster.app);
  const leader = await leaderMember(context, cluster);
  await context.monitors.drop(machine.id);
  await stop(member, "fast", 10_000);
  await quiet(context, member, machine);
  await moveToOwnUser(context, cluster, machine);
  const session = await leading(context, cluster, leader, perch);
  const found = await fitOf(member.layout, await historyOf(session));
  if (found?.fit === "unfit") return;
  if (found?.fit === "parted") {
    const unfit = await alone(context, cluster, machine, async () => {
      const proof = await proofFor(context, cluster, machine, "data");
      return rewind(memberOf(context, cluster, machine), { leader, session, password: perch }, proof, signal);
    });
    context.say(
      cluster.app,
      unfit === undefined
        ? `machine ${machine.id} had WAL that the leader never had; pg_rewind took it back to where the two parted`
        : `machine ${machine.id} cannot follow the leader as it is: ${unfit}; its data stays until a copy of the leader streams`,
    );
    if (unfit !== undefined) return;
  }
  await startMember(context, cluster, machine, signal);
}

/** No process works on its data any more. */
async function quiet(context: Context, member: Member, machine: MachineRecord): Promise<void> {
  await context.monitors.drop(machine.id);
  await stop(member, "fast", 10_000);
  await endWholly(member, machine.process);
  await endRewind(member.layout);
}

async function leading(
  context: Context,
  { app, leader: id }: ClusterRecord,
  leader: Member,
  password: string,
): Promise<Session> {
  const session = await context.monitors.session(leader, password);
  if (session === undefined) throw fail("no_active_leader", { app, why: context.monitors.silence(id), machine: id });
  return session;
}

const spareBytes = 64 * 1024 * 1024;

/** A copy that would fill the disk would stop every server on it. */
async function checkRoom(member: Member, { phase }: MachineRecord, session: Session): Promise<void> {
  const [row] = await session.query<{ bytes: string }>(
    "SELECT pg_catalog.sum(pg_catalog.pg_database_size(oid))::text AS bytes FROM pg_catalog.pg_database",
    [],
    60_000,
  );
  const needed = Math.round(Number(row?.bytes ?? 0) * 1.05) + spareBytes;
  const { freeBytes } = await diskRoom(member.layout.root);
  if (freeBytes >= needed) return;
  if (phase === "creating") throw fail("disk_full", { path: member.layout.root });
  throw fail("copy_no_room", {
    machine: member.id,
    needed: size(needed),
    free: size(freeBytes),
    path: member.layout.root,
  });
}

/**
 * A copy takes two of the leader's walsenders, and the server that runs on the old data is not ended for one that
 * cannot begin.
 */
async function checkSenders(member: Member, session: Session): Promise<void> {
  const [row] = await session.query<{ used: number; max: number }>(
    `SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_replication WHERE application_name <> $1)::int AS used,
            pg_catalog.current_setting('max_wal_senders')::int AS max`,
    [member.id],
  );
  if (row !== undefined && row.max - row.used < 2)
    throw fail("base_backup_failed", {
      machine: member.id,
      why: `a copy takes two WAL senders, and ${row.used} of the leader's ${row.max} (max_wal_senders) are in use`,
    });
}
