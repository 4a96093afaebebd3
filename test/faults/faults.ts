/**
 * The faults, as data: what is done to a cluster that is written to, and what Perch promises for it. `deeds.ts` and
 * `losses.ts` have how each is done.
 */
import * as deeds from "./deeds.ts";
import type { Fault } from "./fault.ts";
import * as losses from "./losses.ts";

export const faults: readonly Fault[] = [
  { name: "switchover", rows: "kept", withinMs: 5_000, times: 3, act: deeds.switchOver },
  { name: "kill -9 of the leader's postmaster", rows: "kept", withinMs: 10_000, crash: true, act: deeds.killLeader },
  { name: "kill -9 of a backend", rows: "kept", withinMs: 10_000, crash: true, act: deeds.killBackend },
  { name: "kill -9 of a replica", rows: "kept", withinMs: 2_000, unnoticed: true, crash: true, act: deeds.killReplica },
  { name: "kill -9 of perchd", rows: "kept", withinMs: 2_000, unnoticed: true, act: deeds.killDaemon },
  { name: "kill -9 of the name server", rows: "kept", withinMs: 2_000, unnoticed: true, act: deeds.killNameServer },
  { name: "kill -9 of perchd and the leader", rows: "kept", withinMs: 20_000, act: deeds.killDaemonAndLeader },
  {
    name: "kill -9 of the leader and a replica",
    rows: "kept",
    withinMs: 10_000,
    crash: true,
    act: deeds.killLeaderAndReplica,
  },
  {
    name: "kill -9 of perchd in a switchover",
    rows: "kept",
    withinMs: 20_000,
    times: 5,
    act: deeds.killDaemonInSwitchover,
  },
  {
    name: "kill -9 of the leader in a switchover",
    rows: "kept",
    withinMs: 20_000,
    times: 3,
    crash: true,
    act: deeds.killLeaderInSwitchover,
  },
  {
    name: "kill -9 of the next leader in a switchover",
    rows: "kept",
    withinMs: 20_000,
    times: 3,
    crash: true,
    act: deeds.killNextInSwitchover,
  },
  { name: "SIGSTOP of the leader's postmaster", rows: "kept", withinMs: 15_000, act: deeds.suspendPostmaster },
  { name: "SIGSTOP of all the leader's processes", rows: "kept", withinMs: 15_000, act: deeds.suspendLeader },
  {
    name: "SIGSTOP of all a replica's processes",
    rows: "kept",
    withinMs: 2_000,
    unnoticed: true,
    long: true,
    act: deeds.suspendReplica,
  },
  { name: "perch down and up", rows: "kept", withinMs: 60_000, endsLoad: true, act: deeds.downAndUp },
  { name: "a replica promoted by hand", rows: "kept", withinMs: 2_000, unnoticed: true, act: losses.promoteByHand },
  {
    name: "a replica away for longer than its slot keeps WAL",
    rows: "kept",
    withinMs: 2_000,
    unnoticed: true,
    act: losses.outlastSlot,
  },
  {
    name: "the leader killed until another leads",
    rows: "kept",
    withinMs: 20_000,
    crash: true,
    act: deeds.killLeaderAgain,
  },
  { name: "the leader's data directory removed", rows: "may be lost", withinMs: 20_000, act: losses.removeData },
];

/** With synchronous replication an acknowledged row survives the leader. */
export const synchronousFaults: readonly Fault[] = [
  { name: "switchover", rows: "kept", withinMs: 5_000, act: deeds.switchOver },
  { name: "kill -9 of the leader's postmaster", rows: "kept", withinMs: 10_000, crash: true, act: deeds.killLeader },
  { name: "kill -9 of the replica it waits for", rows: "kept", withinMs: 10_000, crash: true, act: deeds.killReplica },
  {
    name: "SIGSTOP of the replica it waits for",
    rows: "kept",
    withinMs: 15_000,
    long: true,
    act: deeds.suspendReplica,
  },
  { name: "the replica it waits for promoted by hand", rows: "kept", withinMs: 15_000, act: losses.promoteByHand },
  {
    name: "the leader killed until another leads",
    rows: "kept",
    withinMs: 20_000,
    crash: true,
    act: deeds.killLeaderAgain,
  },
  { name: "the leader's data directory removed", rows: "kept", withinMs: 20_000, act: losses.removeData },
  {
    name: "a switchover, and the new leader's data directory removed",
    rows: "kept",
    withinMs: 20_000,
    times: 3,
    act: losses.removeDataSoon,
  },
  {
    name: "a switchover, and the new leader killed",
    rows: "kept",
    withinMs: 15_000,
    times: 2,
    crash: true,
    act: losses.killLeaderSoon,
  },
  {
    name: "kill -9 of perchd in a switchover, and the leader's data directory removed",
    rows: "kept",
    withinMs: 30_000,
    times: 2,
    act: losses.removeDataAfterDaemon,
  },
  { name: "the leader's data directory renamed", rows: "kept", withinMs: 20_000, act: losses.renameData },
  { name: "the leader's pg_control removed", rows: "kept", withinMs: 20_000, act: losses.removeControlFile },
  {
    name: "the leader's WAL removed, and its postmaster killed",
    rows: "kept",
    withinMs: 30_000,
    crash: true,
    act: losses.removeWal,
  },
  { name: "the leader killed, and its port taken", rows: "kept", withinMs: 60_000, crash: true, act: losses.takePort },
];

/** Through 6432, in transaction mode. What is planned costs no query there; an accident costs what is under way. */
export const pooledFaults: readonly Fault[] = [
  { name: "switchover", rows: "kept", withinMs: 3_000, unnoticed: true, times: 3, act: deeds.switchOver },
  { name: "kill -9 of perchd", rows: "kept", withinMs: 2_000, unnoticed: true, act: deeds.killDaemon },
  { name: "kill -9 of the name server", rows: "kept", withinMs: 2_000, unnoticed: true, act: deeds.killNameServer },
  { name: "kill -9 of the leader's pooler", rows: "kept", withinMs: 10_000, act: deeds.killPooler },
  { name: "kill -9 of every pooler", rows: "kept", withinMs: 10_000, act: deeds.killPoolers },
  { name: "kill -9 of the leader's postmaster", rows: "kept", withinMs: 10_000, crash: true, act: deeds.killLeader },
  {
    name: "kill -9 of perchd in a switchover",
    rows: "kept",
    withinMs: 20_000,
    times: 5,
    act: deeds.killDaemonInSwitchover,
  },
  {
    name: "kill -9 of the leader's pooler in a switchover",
    rows: "kept",
    withinMs: 20_000,
    times: 3,
    act: deeds.killPoolerInSwitchover,
  },
  { name: "the leader's data directory removed", rows: "may be lost", withinMs: 20_000, act: losses.removeData },
];
