import { clusterSecrets } from "../../../model/secret.ts";
import { leaderPort, memberPort, poolPort, memberPoolPort } from "../../../model/ports.ts";
import { join } from "node:path";
import { fail } from "../../../errors/error.ts";
import { namesIn } from "../../../host/files/files.ts";
import type { ClusterRecord, MachineRecord } from "../../../model/records.ts";
import { safeMode } from "../../../pgbouncer/config.ts";
import { describe, openConsole, type PoolConsole, resume, type Running } from "../../../pgbouncer/console.ts";
import { admit, sweep } from "../../../pgbouncer/lookup.ts";
import { guardPause } from "../../../pgbouncer/pause-guard.ts";
import { type PoolLayout, poolLayout } from "../../../pgbouncer/layout.ts";
import {
  ensurePooler,
  findPoolerProcess,
  keepLogShort,
  poolerCertificate,
  type Pooler,
  poolerIsCurrent,
  removePooler,
  runsAsFormer,
  stopPooler,
} from "../../../pgbouncer/server.ts";
import type { Credentials, Subject } from "../../../postgres/tls/certificate.ts";
import { superuser } from "../../../postgres/instance/hba.ts";
import { connect, sqlState } from "../../../postgres/sql/session.ts";
import { openSecret } from "../../../vault/sealed-secret.ts";
import { isGood, subjectOf } from "../../../cluster/certificates.ts";
import { type Context, passwordsOf } from "../../../cluster/context.ts";
import { leaderMember } from "../../members.ts";
import type { PoolerFacts } from "../../../cluster/view.ts";

/** The poolers of a cluster: one that leads to the leader, and one beside each member that leads to that member. */
export const leaderPooler = "leader";

/** Which poolers there should be: id → where it listens and leads. */
export function poolersWanted(
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
): Map<string, Pooler["config"]> {
  const { pool } = cluster;
  if (pool === undefined || cluster.phase !== "ready") return new Map();
  const { address, ...shared } = pool;
  const members = machines.filter((machine) => machine.phase === "ready");
  return new Map([
    // Its own address stands in the kernel's map like a member's: whoever leads is met there, now and after every
    // change.
    [leaderPooler, { address, port: poolPort, target: { host: address, port: leaderPort }, ...shared }],
    ...members.map((machine): [string, Pooler["config"]] => [
      machine.id,
      {
        address: machine.address,
        port: memberPoolPort,
        target: { host: machine.address, port: memberPort },
        ...shared,
      },
    ]),
  ]);
}

export const poolerLayout = ({ home }: Pick<Context, "home">, cluster: ClusterRecord, id: string) =>
  poolLayout(home, cluster.app, id === leaderPooler ? `${cluster.app}-${leaderPooler}` : id);

export async function poolPassword({ state, vault }: Pick<Context, "state" | "vault">, app: string): Promise<string> {
  const secret = await state.secrets.get({ app, name: clusterSecrets.pooler });
  if (secret === undefined)
    throw fail("state_damaged", { path: `secrets/${app}/${clusterSecrets.pooler}`, why: "it is missing" });
  return openSecret(vault, secret);
}

/** All that a pooler is run with but its certificate. */
async function poolerOf(
  context: Context,
  cluster: ClusterRecord,
  id: string,
  config: Pooler["config"],
): Promise<Omit<Pooler, "certificate">> {
  return {
    at: poolerLayout(context, cluster, id),
    place: context.place,
    config,
    password: await poolPassword(context, cluster.app),
  };
}

/**
 * Its port is met by any name of the cluster and at any member's address. The certificate it has; undefined where it
 * must be made.
 */
async function certificateOf(context: Context, at: PoolLayout, subject: Subject): Promise<Credentials | undefined> {
  const served = await poolerCertificate(at);
  return served !== undefined && isGood(served, context.authority, subject) ? served : undefined;
}

function poolSubject(
  context: Context,
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
  { address }: Pooler["config"],
): Subject {
  const subject = subjectOf(context, cluster, machines);
  return { ...subject, addresses: [...new Set([...subject.addresses, address])] };
}

/** What runs, wanted or not; empty where no pool is or was. */
export async function observePoolers(
  context: Context,
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
): Promise<Map<string, PoolerFacts>> {
  const wanted = poolersWanted(cluster, machines);
  const there = await namesIn(join(context.home.postgres, "pool", cluster.app));
  const ids = new Set([
    ...wanted.keys(),
    ...there.map((name) => (name === `${cluster.app}-${leaderPooler}` ? leaderPooler : name)),
  ]);
  const found = await Promise.all(
    [...ids].map(async (id): Promise<[string, PoolerFacts]> => [
      id,
      await look(context, cluster, id, { config: wanted.get(id), machines }),
    ]),
  );
  return new Map(found);
}

/** It has nothing to do but pass bytes on. */
const answersWithinMs = 500;

async function look(
  context: Context,
  cluster: ClusterRecord,
  id: string,
  { config, machines }: { config: Pooler["config"] | undefined; machines: readonly MachineRecord[] },
): Promise<PoolerFacts> {
  const at = poolerLayout(context, cluster, id);
  const running = (await findPoolerProcess(at)) !== undefined;
  if (config === undefined || !running)
    return { wanted: config !== undefined, running, answers: false, current: false, paused: false, version: undefined };
  const pooler = await poolerOf(context, cluster, id, config);
  const certified = (await certificateOf(context, at, poolSubject(context, cluster, machines, config))) !== undefined;
  const console = await context.consoles.hold(at, { port: config.port, password: pooler.password }, cluster.app);
  // A console that does not answer is seen as silent.
  const described = console && (await describe(console, answersWithinMs).catch(() => undefined));
  await keepLogShort(at);
  const current = described === undefined || (certified && (await isAsWanted(pooler, described)));
  return {
    wanted: true,
    running,
    answers: described !== undefined,
    current,
    paused: !context.flowing.has(at.root),
    version: described?.version,
    ...(described !== undefined && described.mode !== safeMode(config, described.version)
      ? { switches: switchOf(config, described) }
      : {}),
  };
}

const isAsWanted = async (pooler: Omit<Pooler, "certificate">, { version, mode }: Running): Promise<boolean> =>
  mode === safeMode(pooler.config, version) && poolerIsCurrent(pooler, version);

/** Into which mode it must go, and why. */
function switchOf(config: Pooler["config"], { version }: Running): string {
  const to = safeMode(config, version);
  if (to === config.mode) return `to ${to} mode, in which its clients begin again`;
  return `to ${to} mode: in ${config.mode} mode PgBouncer ${version} gives wrong rows to clients that prepare statements`;
}

export interface PoolerCounts {
  clients: number;
  /** Those of them that wait for a server. */
  waiting: number;
  /** Connections to the server, in use or not. */
  servers: number;
}

/** Who is connected through one just now; undefined when it does not say. */
export async function countsOf(
  context: Context,
  cluster: ClusterRecord,
  id: string,
): Promise<PoolerCounts | undefined> {
  const login = {
    port: id === leaderPooler ? poolPort : memberPoolPort,
    password: await poolPassword(context, cluster.app),
  };
  const console = await context.consoles.hold(poolerLayout(context, cluster, id), login, cluster.app);
  type Row = Record<"cl_active" | "cl_waiting" | "sv_active" | "sv_idle" | "sv_used", number> & { database: string };
  // A console that does not answer is seen as silent.
  const rows = await console?.ask<Row>("SHOW POOLS", answersWithinMs).catch(() => undefined);
  const sum = (count: (row: Row) => number) =>
    rows?.reduce((total, row) => total + (row.database === "pgbouncer" ? 0 : count(row)), 0) ?? 0;
  if (rows === undefined) return undefined;
  return {
    clients: sum((row) => row.cl_active + row.cl_waiting),
    waiting: sum((row) => row.cl_waiting),
    servers: sum((row) => row.sv_active + row.sv_idle + row.sv_used),
  };
}

/** As whom clients are connected through any of them; undefined when one of them does not say. */
export async function usersOfPool(
  context: Context,
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
): Promise<string[] | undefined> {
  const users: string[] = [];
  for (const id of poolersWanted(cluster, machines).keys()) {
    const login = {
      port: id === leaderPooler ? poolPort : memberPoolPort,
      password: await poolPassword(context, cluster.app),
    };
    const console = await context.consoles.hold(poolerLayout(context, cluster, id), login, cluster.app);
    // A console that does not answer is seen as silent.
    const rows = await console?.ask<{ user: string }>("SHOW CLIENTS", answersWithinMs).catch(() => undefined);
    if (rows === undefined) return undefined;
    users.push(...rows.map(({ user }) => user));
  }
  return users;
}

/** Started, told or let go on: as it should be afterwards. */
export async function applyPooler(
  context: Context,
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
  id: string,
): Promise<void> {
  const config = poolersWanted(cluster, machines).get(id);
  if (config === undefined) return;
  const pooler = await poolerOf(context, cluster, id, config);
  await context.publish(); // its address must be there before it listens on it
  const subject = poolSubject(context, cluster, machines, config);
  const certificate = (await certificateOf(context, pooler.at, subject)) ?? (await context.authority.issue(subject));
  await ensurePooler({ ...pooler, certificate });
  await letGo(context, pooler);
  await keepSafe(context, cluster, pooler);
}

/**
 * A mode that this version must not have is asked for no longer: a newer version would switch back some day, when apps
 * count on a session of their own.
 */
async function keepSafe(
  { state, say }: Context,
  { app }: ClusterRecord,
  { at, config, password }: Omit<Pooler, "certificate">,
): Promise<void> {
  const console = await openConsole(at, { port: config.port, password });
  const { version } = await describe(console).finally(() => console.close());
  if (safeMode(config, version) === config.mode) return;
  let changed = false;
  await state.clusters.update({ app }, (record) => {
    changed = record.pool !== undefined && safeMode(record.pool, version) !== record.pool.mode;
    return changed && record.pool !== undefined ? { ...record, pool: { ...record.pool, mode: "session" } } : record;
  });
  if (!changed) return;
  say(
    app,
    `the pooler of ${app} is in session mode from now on: in transaction mode PgBouncer ${version} gives wrong rows to clients that prepare statements. Where none does: perch postgres pool on -a ${app} --mode transaction --no-prepared-statements`,
  );
}

export const removePoolerOf = (context: Context, cluster: ClusterRecord, id: string): Promise<void> =>
  removePooler(poolerLayout(context, cluster, id));

/**
 * Ends those whose program was replaced on the disk, or that run as the user of an older Perch; the loop starts them
 * again at once.
 */
export async function replaceOlder(
  context: Context,
  cluster: ClusterRecord,
  ids: readonly string[],
  version: string,
): Promise<void> {
  for (const id of ids) {
    const at = poolerLayout(context, cluster, id);
    const login = {
      port: id === leaderPooler ? poolPort : memberPoolPort,
      password: await poolPassword(context, cluster.app),
    };
    const console = await context.consoles.hold(at, login, cluster.app);
    // A console that does not answer is seen as silent.
    const running = console && (await describe(console, answersWithinMs).catch(() => undefined));
    if (running !== undefined && (running.version !== version || runsAsFormer(at, context.place))) await stopPooler(at);
  }
}

const letGo = (context: Context, pooler: Omit<Pooler, "certificate">): Promise<void> =>
  withConsole(pooler, (console) => letGoBy(console, context, pooler));

async function letGoBy(console: PoolConsole, context: Context, { at }: Omit<Pooler, "certificate">): Promise<void> {
  await resume(console);
  context.flowing.add(at.root);
}

async function withConsole<T>(
  { at, config, password }: Omit<Pooler, "certificate">,
  work: (console: PoolConsole) => Promise<T>,
): Promise<T> {
  const console = await openConsole(at, { port: config.port, password });
  return work(console).finally(() => console.close());
}

/** PgBouncer may look roles up in these databases. */
export async function admitDatabases(
  context: Context,
  cluster: ClusterRecord,
  databases: readonly string[],
): Promise<void> {
  const { perch } = await passwordsOf(context, cluster.app);
  const leader = await leaderMember(context, cluster);
  for (const database of databases) {
    const session = await connect(leader, { user: superuser, password: perch, database });
    const { number, older } = await admit(session, database).finally(() => session.close());
    const key = `${cluster.app}/${number}`;
    if (older) context.older.set(key, database);
    context.admitted.add(key);
  }
}

/** What an older Perch left in these databases goes. One that is gone itself has nothing left. */
export async function sweepDatabases(
  context: Context,
  cluster: ClusterRecord,
  databases: readonly string[],
): Promise<void> {
  const { perch } = await passwordsOf(context, cluster.app);
  const leader = await leaderMember(context, cluster);
  const there = olderIn(context, cluster.app);
  for (const [key] of there.filter(([, name]) => databases.includes(name))) {
    const database = context.older.get(key) ?? "";
    const session = await connect(leader, { user: superuser, password: perch, database }).catch((error: unknown) => {
      if (sqlState(error) !== "3D000") throw error;
    });
    await (session && sweep(session).finally(() => session.close()));
    context.older.delete(key);
  }
}

/** Databases with what an older Perch left there. */
export const olderIn = ({ older }: Context, app: string): [key: string, database: string][] =>
  [...older].filter(([key]) => key.startsWith(`${app}/`));

/**
 * Keeps the clients of the leader's pooler waiting between two transactions, at most that long for those under way, and
 * gives what lets them go on. A session keeps its server until its client leaves, so in session mode nobody is kept.
 * Without a pool it does nothing.
 */
export async function pausePool(
  context: Context,
  cluster: ClusterRecord,
  withinMs: number,
): Promise<() => Promise<void>> {
  const config = poolersWanted(cluster, []).get(leaderPooler);
  if (config === undefined) return () => Promise.resolve();
  // Without what it needs there is no pooler to be let go on.
  const pooler = await poolerOf(context, cluster, leaderPooler, config).catch(() => undefined);
  const process = pooler && (await findPoolerProcess(pooler.at));
  if (pooler === undefined || process === undefined) return () => Promise.resolve();
  // PAUSE is answered when all is quiet; who is to say RESUME must not wait behind it, nor connect while everybody
  // waits.
  const console = () => openConsole(pooler.at, { port: config.port, password: pooler.password }).catch(() => undefined);
  const [pausing, resuming] = await Promise.all([console(), console()]);
  // A console that does not answer is seen as silent.
  const running = resuming && (await describe(resuming).catch(() => undefined));
  const warn = (what: string) => (error: unknown) => context.log.warn({ err: error }, what);
  // Nobody is kept waiting who would wait for ever when this perchd is killed.
  const guarded =
    running?.mode === "session"
      ? undefined
      : await guardPause(process).catch(warn("nothing would end a pause; the pooler is not paused"));
  if (guarded === undefined) {
    await Promise.all([pausing?.close(), resuming?.close()]);
    return () => Promise.resolve();
  }
  context.flowing.delete(pooler.at.root); // until it is told to go on, by whomever
  await pausing?.ask("PAUSE", withinMs).catch(warn("transactions went on for too long; the change goes on"));
  return async () => {
    const told = resuming === undefined ? letGo(context, pooler) : letGoBy(resuming, context, pooler);
    await told.then(guarded).catch(warn("the pooler is not resumed yet"));
    await Promise.all([pausing?.close(), resuming?.close()]);
  };
}
