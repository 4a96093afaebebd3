import { within } from "../base/deadline.ts";
import { isCode } from "../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { configurationDiffers } from "../postgres/instance/configure.ts";
import { unlessStrange } from "../host/files/below.ts";
import { formerData, nextData } from "../postgres/instance/data-removal.ts";
import { readControlFile } from "../postgres/instance/control-file.ts";
import { hasData, hasSocket, type Member } from "../postgres/instance/directory.ts";
import { explained, isNotReady } from "../postgres/sql/refusal.ts";
import { find } from "../postgres/instance/postmaster.ts";
import { slotOf } from "../postgres/replication/replication.ts";
import type { Session } from "../postgres/sql/session.ts";
import { type Slot, type Survey, survey } from "../postgres/sql/probe.ts";
import { type History, historyOf } from "../postgres/replication/timeline.ts";
import { exists } from "../host/files/files.ts";
import { isAlive, isSuspended } from "../host/process/process.ts";
import { configurationOf, type Context, memberOf, type Passwords } from "../cluster/context.ts";
import type { MemberFacts } from "../cluster/view.ts";

/** A server that does not answer in this time does not answer: the others are not kept waiting for it. */
export const patienceMs = 2_000;

export interface Look {
  record: MachineRecord;
  facts: MemberFacts & { /** It is on its way to answering: a crash recovery may take long. */ recovers: boolean };
  survey: Survey | undefined;
  session: Session | undefined;
}

/** One member as it is now; the record gets the identity of its postmaster. */
export async function look(
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
  let silence = session === undefined && !deaf ? context.monitors.silence(machine.id) : undefined;
  const found = session && (await ask(session, (why) => (silence = why)));
  const said = session === undefined && !deaf ? context.monitors.refusal(machine.id) : undefined;
  const refused = said === undefined || isNotReady(said) ? undefined : await explained(member, said);
  if (session !== undefined && found === undefined) void context.monitors.drop(machine.id);
  const leader = machine.id === cluster.leader ? undefined : members.find(({ id }) => id === cluster.leader);
  const wanted = configurationOf(context, cluster, machine, leader, passwords.replicator);
  /**
   * What cannot be told is taken for what it should be, and said: the others of the cluster are looked at all the same.
   */
  const told = (question: Promise<boolean>): Promise<boolean> =>
    question.catch((error: unknown) => {
      unlessStrange(error);
      odd.push(error as Error);
      return true;
    });
  const unreachable =
    running !== undefined && (running.status === "ready" || running.status === "standby") && !(await hasSocket(member));
  const configured =
    running === undefined ||
    (await told(configurationDiffers(member, wanted, (error) => odd.push(error)).then((differs) => !differs)));
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
      ...(silence === undefined || refused !== undefined ? {} : { silence }),
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
          ? [...perchSlots(found), ...found.usage.slots.each.filter(({ former }) => former === true)].map(
              ({ name }) => name,
            )
          : [],
      configured,
    },
  };
}

/**
 * In what a replica whose replay is paused has less than its leader: it has learnt of that by the WAL, and its control
 * file says it.
 */
async function shortOf({ layout }: Member, has: Readonly<Record<string, number>>): Promise<string | undefined> {
  const control = await readControlFile(layout).catch(unlessStrange);
  const floors = Object.entries(control?.floors ?? {}).filter(([name, floor]) => (has[name] ?? floor) < floor);
  return floors.length === 0
    ? undefined
    : floors.map(([name, floor]) => `${name} is ${floor} on the leader and ${has[name]} here`).join(", ");
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
async function adopt(
  { state }: Context,
  machine: MachineRecord,
  found: MachineRecord["process"],
): Promise<MachineRecord> {
  const process =
    found ?? (machine.process !== undefined && (await isAlive(machine.process)) ? machine.process : undefined);
  if (process?.pid === machine.process?.pid && process?.startTime === machine.process?.startTime) return machine;
  const now = ({ process: _old, ...rest }: MachineRecord): MachineRecord =>
    process === undefined ? rest : { ...rest, process };
  const changed = await state.machines.update(machine, now).catch((error: unknown) => {
    // What is so is looked at on a full disk, too, and written when there is room.
    if (isCode(error, "disk_full")) return now(machine);
    throw error;
  });
  return changed ?? machine;
}

async function ask(session: Session, onSilence: (why: string) => void): Promise<Survey | undefined> {
  let why = `it does not answer a query within ${patienceMs / 1_000} s`;
  const found = await within(patienceMs, survey(session)).catch((error: unknown) => {
    why = error instanceof Error ? error.message : String(error);
    return undefined;
  });
  if (found === undefined) onSilence(why);
  return found;
}

export interface OnLeader {
  session: Session;
  /** Perch's. */
  slots: Slot[];
  lags: Survey["lags"];
  /** Asked for when a replica stands apart. */
  history: { timeline: number; forks: History } | undefined;
}

const perchSlots = ({ usage }: Survey): Slot[] =>
  usage.slots.each.filter(({ name, physical }) => physical && name.startsWith(slotOf("")));

/** What the leader says of itself and of the others; undefined where it does not answer, or does not lead. */
export async function askLeader(cluster: ClusterRecord, looks: readonly Look[]): Promise<OnLeader | undefined> {
  const seen = looks.find(({ record }) => record.id === cluster.leader);
  const apart = looks.some(({ record, facts }) => record.id !== cluster.leader && !facts.streaming);
  if (seen?.session === undefined || seen.survey === undefined || seen.survey.recovering) return undefined;
  const { session, survey: found } = seen;
  const asked = async (): Promise<OnLeader> => ({
    session,
    slots: perchSlots(found),
    lags: found.lags,
    history: apart ? await historyOf(session) : undefined,
  });
  // Asked again at the next look.
  return within(patienceMs, asked()).catch(() => undefined);
}
