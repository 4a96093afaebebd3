import type { Engine } from "../engine/engine.ts";
import { steadyNow } from "../base/clock.ts";
import { within } from "../base/deadline.ts";
import { isCode } from "../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { inspectProgram } from "../postgres/instance/binaries.ts";
import { configurationDiffers } from "../postgres/instance/configure.ts";
import { unlessStrange } from "../host/files/below.ts";
import { formerData, nextData } from "../postgres/instance/data-removal.ts";
import { readControlFile } from "../postgres/instance/control-file.ts";
import { hasData, hasSocket, type Member } from "../postgres/instance/directory.ts";
import { explained, isNotReady } from "../postgres/sql/refusal.ts";
import { find } from "../postgres/instance/postmaster.ts";
import { slotOf } from "../postgres/replication/replication.ts";
import { listSuperusers } from "../postgres/sql/roles.ts";
import type { Session } from "../postgres/sql/session.ts";
import { type Slot, type Survey, survey } from "../postgres/sql/probe.ts";
import { tablespacesOutside } from "../postgres/instance/tablespaces.ts";
import { type History, historyOf, isPartOf } from "../postgres/replication/timeline.ts";
import { exists } from "../host/files/files.ts";
import { diskRoom } from "../host/system/machine.ts";
import { isAlive, isSuspended } from "../host/process/process.ts";
import { apartOf } from "./apart.ts";
import { isCertified } from "../cluster/certificates.ts";
import { configurationOf, type Context, memberOf, type Passwords, passwordsOf } from "../cluster/context.ts";
import { unadmitted } from "../pgbouncer/lookup.ts";
import { observePoolers, olderIn } from "./concerns/poolers/poolers.ts";
import type { LoopMemory } from "./loop.ts";
import { admissionKey, attachmentKey, poolerKey, triedKey } from "./step.ts";
import { type ClusterView, type MemberFacts, type MemberView, situationOf } from "../cluster/view.ts";

/** Looks at one cluster: its records, its processes, its servers. Undefined when its record is gone. */
export async function observe(context: Context, engine: Engine, app: string, memory: LoopMemory): Promise<ClusterView | undefined> {
  const { state } = context;
  const now = steadyNow();
  const cluster = await state.clusters.get({ app });
  if (cluster === undefined) return undefined;
  const [machines, attachments, passwords, shown] = await Promise.all([
    state.machines.list().then((all) => all.filter((machine) => machine.app === app && machine.kind === "postgres")),
    state.attachments.list({ cluster: app }),
    passwordsOf(context, app),
    state.apps.get({ name: app }),
  ]);
  const looks = await Promise.all(machines.map((machine) => look(context, cluster, machine, machines, passwords)));
  const onLeader = await askLeader(cluster, looks);
  const apart = new Map(await Promise.all(looks.map(async (one) => [one.record.id, await apartOf(context, cluster, one, onLeader)] as const)));
  await noteSuperusers(context, cluster, onLeader?.superusers);
  const led = onLeader !== undefined;
  const noted = (machine: string, what: string, holds: boolean): number | undefined => note(memory.since, `${machine} ${what}`, holds, now);

  // Only a view that is younger than the change says where connections lead.
  if (memory.under.get("cluster")?.do !== "lead") context.overrides.delete(app);
  const remembered = (thing: string) => ({ busy: memory.under.get(thing)?.do, trouble: memory.troubles.get(thing) });
  const seen = {
    cluster,
    diskFull: await diskRoom(context.home.postgres).then(
      ({ freeBytes }) => freeBytes < walSegmentBytes,
      () => false,
    ),
    primaryRegion: shown?.primaryRegion ?? "",
    program: await inspectProgram(cluster.binaries),
    tablespaces: await tablespacesIn(context, cluster, machines),
    slots: onLeader?.slots.map((slot) => slot.name),
    lostSlots: onLeader?.slots.filter((slot) => slot.state === "lost").map((slot) => slot.name) ?? [],
    members: looks.map(({ record, facts, survey: found }): MemberView => ({
      record,
      facts: {
        ...facts,
        lagBytes: onLeader?.lags.get(record.id) ?? null,
        diverged: hasDiverged(facts, found?.timeline ?? 0, onLeader),
        apart: apart.get(record.id),
      },
      usage: found?.usage,
      restart: memory.restarts.has(record.id),
      deaths: memory.deaths.look(record.id, { running: facts.running, planned: record.wanted === "stopped" || isBusy(memory, record.id) }, now),
      since: {
        suspended: noted(record.id, "suspended", facts.suspended),
        silent: noted(record.id, "silent", facts.running && !facts.answers && !facts.recovers && !memory.under.has(record.id)),
        stranded: noted(
          record.id,
          "stranded",
          led && record.id !== cluster.leader && !facts.streaming && facts.refused === undefined && !memory.under.has(record.id),
        ),
        reconnected: tried(memory, record.id, "reconnect", facts.streaming),
        rewound: tried(memory, record.id, "rewind", facts.streaming),
        apart: noted(record.id, "apart", led && record.id !== cluster.leader && !facts.streaming),
      },
      ...remembered(record.id),
    })),
    poolers: [...(await observePoolers(context, cluster, machines))].map(([id, facts]) => ({
      id,
      facts,
      silentSince: noted(poolerKey(id), "silent", facts.wanted && facts.running && !facts.answers && !memory.under.has(poolerKey(id))),
      ...remembered(poolerKey(id)),
    })),
    unadmitted: onLeader === undefined || cluster.pool === undefined ? [] : await unadmittedIn(context, cluster, looks),
    older: olderIn(context, app).map(([, database]) => database),
    admission: remembered(admissionKey),
    attachments: attachments.map((record) => ({ record, ...remembered(attachmentKey(record)) })),
    ...remembered("cluster"),
    now,
  };
  return { ...seen, verdict: engine.decide(situationOf(seen)) };
}

/** What cannot be read is no reason to stop a replica. */
async function tablespacesIn(context: Context, cluster: ClusterRecord, machines: readonly MachineRecord[]): Promise<string[]> {
  const leader = machines.find(({ id }) => id === cluster.leader);
  if (leader === undefined || machines.length === 1) return [];
  return tablespacesOutside(memberOf(context, cluster, leader).layout).catch((error: unknown) => {
    context.log.warn({ err: error, app: cluster.app }, "the leader's tablespaces could not be looked at");
    return [];
  });
}

/** Written by the loop when it begins the step. */
function tried({ since }: LoopMemory, machine: string, step: "reconnect" | "rewind", streams: boolean): number | undefined {
  if (streams) since.delete(triedKey(machine, step));
  return since.get(triedKey(machine, step));
}

/** Whether a step may be what ends it. */
const isBusy = ({ under }: LoopMemory, machine: string): boolean => under.has(machine) || under.get("cluster")?.do === "lead";

async function unadmittedIn(context: Context, { app, leader }: ClusterRecord, looks: readonly Look[]): Promise<string[]> {
  const session = looks.find(({ record }) => record.id === leader)?.session;
  const known = new Set([...context.admitted].filter((key) => key.startsWith(`${app}/`)).map((key) => key.slice(app.length + 1)));
  const found = session && (await within(patienceMs, unadmitted(session, known)).catch(() => undefined));
  return found ?? [];
}

/** Since when something holds: now, when it did not before. */
function note(since: Map<string, number>, what: string, holds: boolean, now: number): number | undefined {
  if (!holds) since.delete(what);
  else if (!since.has(what)) since.set(what, now);
  return since.get(what);
}

export interface Look {
  record: MachineRecord;
  facts: MemberFacts & { /** It is on its way to answering: a crash recovery may take long. */ recovers: boolean };
  survey: Survey | undefined;
  session: Session | undefined;
}

async function look(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  members: readonly MachineRecord[],
  passwords: Passwords,
): Promise<Look> {
  const member = memberOf(context, cluster, machine);
  const odd: Error[] = [];
  const [data, running] = await Promise.all([hasData(member.layout), find(member.layout, (error) => odd.push(error))]);
  const record = await adopt(context, machine, running?.process);
  // Without its data directory it is known by its record alone.
  const lives = running !== undefined || record.process !== undefined;
  if (running === undefined) await context.monitors.drop(machine.id);
  // One that a signal stopped answers nothing, and is not asked.
  const suspended = record.process !== undefined && (await isSuspended(record.process));
  const deaf = running === undefined || running.status === "starting" || suspended;
  const session = deaf ? undefined : await context.monitors.session(member, passwords.perch);
  const found = await ask(session);
  const said = session === undefined && !deaf ? context.monitors.refusal(machine.id) : undefined;
  const refused = said === undefined || isNotReady(said) ? undefined : await explained(member, said);
  if (session !== undefined && found === undefined) void context.monitors.drop(machine.id);
  const leader = machine.id === cluster.leader ? undefined : members.find(({ id }) => id === cluster.leader);
  const wanted = configurationOf(context, cluster, machine, leader, passwords.replicator);
  /** What cannot be told is taken for what it should be, and said: the others of the cluster are looked at all the same. */
  const told = (question: Promise<boolean>): Promise<boolean> =>
    question.catch((error: unknown) => {
      unlessStrange(error);
      odd.push(error as Error);
      return true;
    });
  const unreachable = running !== undefined && (running.status === "ready" || running.status === "standby") && !(await hasSocket(member));
  const configured =
    running === undefined || (await told(configurationDiffers(member, wanted, (error) => odd.push(error)).then((differs) => !differs)));
  complain(context, machine, odd);
  return {
    record,
    session: found === undefined ? undefined : session,
    survey: found,
    facts: {
      data,
      running: lives,
      suspended,
      recovers: running?.status === "starting" || (said !== undefined && isNotReady(said)),
      answers: found !== undefined || refused !== undefined,
      // What it would say itself, it has written down.
      recovering: found?.recovering ?? (refused && running?.status === "standby"),
      ...(refused === undefined ? {} : { refused }),
      ...(unreachable ? { unreachable } : {}),
      streaming: found?.streaming ?? false,
      received: found?.received,
      diverged: false,
      lagBytes: null,
      apart: undefined,
      paused: found?.replay.paused === true ? { short: await shortOf(member, found.replay.settings) } : undefined,
      version: found?.version,
      copied: await exists(nextData(member.layout)),
      former: await exists(formerData(member.layout)),
      ownSlots:
        found?.recovering === true
          ? [...perchSlots(found), ...found.usage.slots.each.filter(({ former }) => former === true)].map(({ name }) => name)
          : [],
      configured,
      certified: running === undefined || (await isCertified(context, cluster, machine, members)),
    },
  };
}

/** In what a replica whose replay is paused has less than its leader: it has learnt of that by the WAL, and its control file says it. */
async function shortOf({ layout }: Member, has: Readonly<Record<string, number>>): Promise<string | undefined> {
  const control = await readControlFile(layout).catch(unlessStrange);
  const floors = Object.entries(control?.floors ?? {}).filter(([name, floor]) => (has[name] ?? floor) < floor);
  return floors.length === 0 ? undefined : floors.map(([name, floor]) => `${name} is ${floor} on the leader and ${has[name]} here`).join(", ");
}

/** Something in place of a file of PostgreSQL's: said once, not at every look. */
function complain({ complaints, say }: Context, { app, id }: MachineRecord, odd: readonly Error[]): void {
  const key = `${app} ${id}`;
  const what = odd.map(({ message }) => message).join("; ");
  if (what === "") return void complaints.delete(key);
  if (complaints.get(key) === what) return;
  complaints.set(key, what);
  say(app, `machine ${id}: ${what}`);
}

/** The record holds the identity of the postmaster, so that it is known after perchd itself was away. */
async function adopt({ state }: Context, machine: MachineRecord, found: MachineRecord["process"]): Promise<MachineRecord> {
  const process = found ?? (machine.process !== undefined && (await isAlive(machine.process)) ? machine.process : undefined);
  if (process?.pid === machine.process?.pid && process?.startTime === machine.process?.startTime) return machine;
  const now = ({ process: _old, ...rest }: MachineRecord): MachineRecord => (process === undefined ? rest : { ...rest, process });
  const changed = await state.machines.update(machine, now).catch((error: unknown) => {
    // What is so is looked at on a full disk, too, and written when there is room.
    if (isCode(error, "disk_full")) return now(machine);
    throw error;
  });
  return changed ?? machine;
}

async function ask(session: Session | undefined): Promise<Survey | undefined> {
  if (session === undefined) return undefined;
  return within(patienceMs, survey(session)).catch(() => undefined);
}

/** PostgreSQL stops where it cannot make the next segment. */
const walSegmentBytes = 16 * 1024 * 1024;

/** A server that does not answer in this time does not answer: the others are not kept waiting for it. */
const patienceMs = 2_000;

export interface OnLeader {
  session: Session;
  /** Perch's. */
  slots: Slot[];
  lags: Survey["lags"];
  /** Asked for when a replica stands apart. */
  history: { timeline: number; forks: History } | undefined;
  /** Where they must be known: by a public door none comes in. */
  superusers: string[] | undefined;
}

/** A replica that does not stream and has more of a timeline than the leader's history holds. */
function hasDiverged(facts: MemberFacts, timeline: number, onLeader: OnLeader | undefined): boolean {
  if (onLeader?.history === undefined || facts.streaming || facts.recovering !== true || facts.received === undefined) return false;
  return !isPartOf(onLeader.history, { timeline, position: facts.received });
}

/** pg_hba.conf refuses them by name: a new one is written there, and is still there when a perchd starts that cannot ask yet. */
async function noteSuperusers({ state }: Context, cluster: ClusterRecord, found: string[] | undefined): Promise<void> {
  if (found === undefined || JSON.stringify(found) === JSON.stringify(cluster.exposure?.superusers)) return;
  const noted = (record: ClusterRecord): ClusterRecord =>
    record.exposure === undefined ? record : { ...record, exposure: { ...record.exposure, superusers: found } };
  await state.clusters.update(cluster, noted).catch((error: unknown) => {
    if (!isCode(error, "disk_full")) throw error;
  });
}

const perchSlots = ({ usage }: Survey): Slot[] => usage.slots.each.filter(({ name, physical }) => physical && name.startsWith(slotOf("")));

async function askLeader(cluster: ClusterRecord, looks: readonly Look[]): Promise<OnLeader | undefined> {
  const seen = looks.find(({ record }) => record.id === cluster.leader);
  const apart = looks.some(({ record, facts }) => record.id !== cluster.leader && !facts.streaming);
  if (seen?.session === undefined || seen.survey === undefined || seen.survey.recovering) return undefined;
  const { session, survey: found } = seen;
  const asked = async (): Promise<OnLeader> => ({
    session,
    slots: perchSlots(found),
    lags: found.lags,
    history: apart ? await historyOf(session) : undefined,
    superusers: cluster.exposure === undefined ? undefined : await listSuperusers(session),
  });
  return within(patienceMs, asked()).catch(() => undefined);
}
