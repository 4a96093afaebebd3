import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { configurationDiffers } from "../postgres/configure.ts";
import { hasData } from "../postgres/directory.ts";
import { find } from "../postgres/postmaster.ts";
import { listSlots, replicaLags, standing } from "../postgres/replication.ts";
import type { Session } from "../postgres/sql.ts";
import { configurationOf, type Context, memberOf, type Passwords, passwordsOf } from "./context.ts";
import type { LoopMemory } from "./loop.ts";
import { attachmentKey } from "./step.ts";
import type { ClusterView, MemberFacts, MemberView } from "./view.ts";

/** Looks at one cluster: its records, its processes, its servers. Undefined when its record is gone. */
export async function observe(context: Context, app: string, memory: LoopMemory): Promise<ClusterView | undefined> {
  const { state } = context;
  const cluster = await state.clusters.get({ app });
  if (cluster === undefined) return undefined;
  const [machines, attachments, passwords] = await Promise.all([
    state.machines.list().then((all) => all.filter((machine) => machine.app === app && machine.kind === "postgres")),
    state.attachments.list({ cluster: app }),
    passwordsOf(context, app),
  ]);
  const leader = machines.find((machine) => machine.id === cluster.leader);
  const looks = await Promise.all(machines.map((machine) => look(context, cluster, machine, leader, passwords)));
  const onLeader = await askLeader(looks.find((seen) => seen.record.id === cluster.leader));

  const remembered = (thing: string) => ({ busy: memory.under.get(thing)?.do, trouble: memory.troubles.get(thing) });
  return {
    cluster,
    slots: onLeader?.slots,
    members: looks.map(({ record, facts }): MemberView => ({
      record,
      facts: { ...facts, lagBytes: onLeader?.lag.get(record.id) ?? null },
      restart: memory.restarts.has(record.id),
      ...remembered(record.id),
    })),
    attachments: attachments.map((record) => ({ record, ...remembered(attachmentKey(record)) })),
    ...remembered("cluster"),
    now: Date.now(),
  };
}

interface Look {
  record: MachineRecord;
  facts: MemberFacts;
  session: Session | undefined;
}

async function look(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  leader: MachineRecord | undefined,
  passwords: Passwords,
): Promise<Look> {
  const member = memberOf(context, cluster, machine);
  const [data, running] = await Promise.all([hasData(member.layout), find(member.layout)]);
  const record = await adopt(context, machine, running?.process);
  if (running === undefined) await context.monitors.drop(machine.id);
  const session = running === undefined || running.status === "starting" ? undefined : await context.monitors.session(member, passwords.perch);
  const state = await ask(session);
  const wanted = configurationOf(context, cluster, machine, machine.id === cluster.leader ? undefined : leader, passwords.replicator);
  return {
    record,
    session: state === undefined ? undefined : session,
    facts: {
      data,
      running: running !== undefined,
      answers: state !== undefined,
      recovering: state?.recovering,
      streaming: state?.streaming ?? false,
      lagBytes: null,
      configured: running === undefined || !(await configurationDiffers(member, wanted)),
    },
  };
}

/** The record holds the identity of the postmaster, so that it is known after perchd itself was away. */
async function adopt({ state }: Context, machine: MachineRecord, process: MachineRecord["process"]): Promise<MachineRecord> {
  if (process?.pid === machine.process?.pid && process?.startTime === machine.process?.startTime) return machine;
  const changed = await state.machines.update(machine, ({ process: _old, ...rest }) => (process === undefined ? rest : { ...rest, process }));
  return changed ?? machine;
}

async function ask(session: Session | undefined): Promise<{ recovering: boolean; streaming: boolean } | undefined> {
  if (session === undefined) return undefined;
  try {
    return await standing(session);
  } catch {
    return undefined;
  }
}

async function askLeader(seen: Look | undefined): Promise<{ slots: string[]; lag: ReadonlyMap<string, number | null> } | undefined> {
  if (seen?.session === undefined || seen.facts.recovering !== false) return undefined;
  try {
    return { slots: (await listSlots(seen.session)).map((slot) => slot.name), lag: await replicaLags(seen.session) };
  } catch {
    return undefined;
  }
}
