import { askLeader, look, type OnLeader } from "./look.ts";
import type { Engine } from "../engine/engine.ts";
import { steadyNow } from "../base/clock.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { inspectProgram } from "../postgres/instance/binaries.ts";
import { tablespacesOutside } from "../postgres/instance/tablespaces.ts";
import { isPartOf } from "../postgres/replication/timeline.ts";
import { diskRoom } from "../host/system/machine.ts";
import { apartOf } from "./apart.ts";
import { type Context, memberOf, passwordsOf } from "../cluster/context.ts";
import type { LoopMemory } from "./loop.ts";
import { ofConcerns, unseenProgress } from "./concern-facts.ts";
import { attachmentKey } from "./concerns/attachments/plan.ts";
import { nameOf, triedKey } from "./step.ts";
import { type AnyConcern, concernKey } from "../cluster/concern.ts";
import { type ClusterView, type MemberFacts, type MemberView, situationOf } from "../cluster/view.ts";

/** Looks at one cluster: its records, its processes, its servers. Undefined when its record is gone. */
export async function observe(
  context: Context,
  { engine, concerns }: { engine: Engine; concerns: readonly AnyConcern[] },
  app: string,
  memory: LoopMemory,
): Promise<ClusterView | undefined> {
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
  const apart = new Map(
    await Promise.all(
      looks.map(async (one) => [one.record.id, await apartOf(context, cluster, one, onLeader)] as const),
    ),
  );
  const led = onLeader !== undefined;
  const noted = (machine: string, what: string, holds: boolean): number | undefined =>
    note(memory.since, `${machine} ${what}`, holds, now);

  // Only a view that is younger than the change says where connections lead.
  if (memory.under.get("cluster")?.do !== "lead") context.overrides.delete(app);
  const remembered = (thing: string) => ({ busy: busyOn(memory, thing), trouble: memory.troubles.get(thing) });
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
      deaths: memory.deaths.look(
        record.id,
        { running: facts.running, planned: record.wanted === "stopped" || isBusy(memory, record.id) },
        now,
      ),
      since: {
        suspended: noted(record.id, "suspended", facts.suspended),
        silent: noted(
          record.id,
          "silent",
          facts.running && !facts.answers && !facts.recovers && !memory.under.has(record.id),
        ),
        stranded: noted(
          record.id,
          "stranded",
          led &&
            record.id !== cluster.leader &&
            !facts.streaming &&
            facts.refused === undefined &&
            !memory.under.has(record.id),
        ),
        reconnected: tried(memory, record.id, "reconnect", facts.streaming),
        rewound: tried(memory, record.id, "rewind", facts.streaming),
        apart: noted(record.id, "apart", led && record.id !== cluster.leader && !facts.streaming),
      },
      ...remembered(record.id),
    })),
    ...(await ofConcerns(context, concerns, (one) => {
      const since = (thing: string, what: string, holds: boolean) => {
        const key = concernKey(one.name, thing);
        return noted(key, what, holds && !memory.under.has(key));
      };
      return one.observe(context, cluster, onLeader?.session, { machines, since });
    })),
    things: new Map([...memory.under.keys(), ...memory.troubles.keys()].map((thing) => [thing, remembered(thing)])),
    attachments: attachments.map((record) => ({ record, ...remembered(attachmentKey(record)) })),
    ...remembered("cluster"),
    now,
  };
  const progress = concerns.flatMap((one) =>
    seen.unseen.has(one.name) ? unseenProgress : (one.progress?.(seen, seen.found.get(one.name)) ?? []),
  );
  const situation = situationOf(seen);
  return { ...seen, progress, verdict: engine.decide(situation), successors: engine.candidates(situation) };
}

/** What cannot be read is no reason to stop a replica. */
async function tablespacesIn(
  context: Context,
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
): Promise<string[]> {
  const leader = machines.find(({ id }) => id === cluster.leader);
  if (leader === undefined || machines.length === 1) return [];
  return tablespacesOutside(memberOf(context, cluster, leader).layout).catch((error: unknown) => {
    context.log.warn({ err: error, app: cluster.app }, "the leader's tablespaces could not be looked at");
    return [];
  });
}

/** Written by the loop when it begins the step. */
function tried(
  { since }: LoopMemory,
  machine: string,
  step: "reconnect" | "rewind",
  streams: boolean,
): number | undefined {
  if (streams) since.delete(triedKey(machine, step));
  return since.get(triedKey(machine, step));
}

const busyOn = ({ under }: LoopMemory, thing: string): string | undefined => {
  const step = under.get(thing);
  return step && nameOf(step);
};

/** Whether a step may be what ends it. */
const isBusy = ({ under }: LoopMemory, machine: string): boolean =>
  under.has(machine) || under.get("cluster")?.do === "lead";

/** Since when something holds: now, when it did not before. */
function note(since: Map<string, number>, what: string, holds: boolean, now: number): number | undefined {
  if (!holds) since.delete(what);
  else if (!since.has(what)) since.set(what, now);
  return since.get(what);
}

/** PostgreSQL stops where it cannot make the next segment. */
const walSegmentBytes = 16 * 1024 * 1024;

/** A replica that does not stream and has more of a timeline than the leader's history holds. */
function hasDiverged(facts: MemberFacts, timeline: number, onLeader: OnLeader | undefined): boolean {
  if (onLeader?.history === undefined || facts.streaming || facts.recovering !== true || facts.received === undefined)
    return false;
  return !isPartOf(onLeader.history, { timeline, position: facts.received });
}
