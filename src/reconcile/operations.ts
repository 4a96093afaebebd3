import type { ClusterOperations } from "../engine/operations.ts";
import { fail } from "../errors/error.ts";
import type { ClusterRecord } from "../model/records.ts";
import { superuser } from "../postgres/instance/hba.ts";
import { readControlFile } from "../postgres/instance/control-file.ts";
import { lossesAfter, lossesText } from "../postgres/replication/losses.ts";
import { find } from "../postgres/instance/postmaster.ts";
import { promote, slotOf, standing } from "../postgres/replication/replication.ts";
import { endWholly } from "../postgres/instance/server.ts";
import { endConsumers, stopInOrder } from "../postgres/instance/stop-in-order.ts";
import { arm, clearance, inherit, learnTimelines } from "./arm.ts";
import type { AnyConcern } from "../cluster/concern.ts";
import { type Context, memberOf, passwordsOf } from "../cluster/context.ts";
import { gather } from "./gather.ts";
import { machineOf } from "./members.ts";
import { promiseOf } from "../cluster/synchronous-standbys.ts";

/** So long a transaction may keep a switchover waiting. */
const pauseMs = 2_000;
/** A replica that is promoted replays all it has first; what it waits for longer than this is ended. */
const readsEndAfterMs = 300;

/** To where that member is. */
async function movePrimaryRegion(context: Context, app: string, id: string): Promise<void> {
  const { region } = await machineOf(context, id);
  let moved = false;
  await context.state.apps.update({ name: app }, (record) => {
    moved = record.primaryRegion !== region;
    return moved ? { ...record, primaryRegion: region } : record;
  });
  if (moved) context.say(app, `the primary region of ${app} is ${region} now, where its leader is`);
}

/** One cluster as the engine works on it. */
export function operationsOf(
  context: Context,
  cluster: ClusterRecord,
  concerns: readonly Pick<AnyConcern, "hold">[],
): ClusterOperations {
  const { state, monitors, overrides } = context;
  const { app } = cluster;
  const say = (sentence: string): void => context.say(app, sentence);
  const member = async (id: string) => memberOf(context, cluster, await machineOf(context, id));
  const lookFor = async (id: string) => monitors.session(await member(id), (await passwordsOf(context, app)).perch);
  const session = async (id: string) => {
    const found = await lookFor(id);
    if (found === undefined) throw fail("replica_unfit", { machine: id, app, why: monitors.silence(id) });
    return found;
  };
  const clearWay = clearance(session, say);
  return {
    app,
    async standing(id) {
      const found = await lookFor(id);
      // One that does not answer is told apart by its caller.
      return found === undefined ? undefined : standing(found).catch(() => undefined);
    },
    lives: async (id) => (await find((await member(id)).layout)) !== undefined,
    async lastCheckpoint(id) {
      const found = await readControlFile((await member(id)).layout);
      return found?.state === "shut down" ? found.checkpoint : undefined;
    },
    checkpoint: async (id) => void (await (await session(id)).query("CHECKPOINT", [], 600_000)),
    arm: async (id) => arm(context, cluster, id, await session(id)),
    clearWay,
    async stop(id, next) {
      const found = await lookFor(id);
      if (found !== undefined)
        await endConsumers(found, slotOf(next)).catch((error: unknown) =>
          context.log.warn({ err: error }, "who reads the WAL was not ended"),
        );
      await monitors.drop(id); // its own session would keep it from stopping
      await stopInOrder(await member(id));
    },
    async kill(id) {
      await monitors.drop(id);
      await endWholly(await member(id), (await machineOf(context, id)).process);
    },
    async inherit(id, from, at) {
      const inherited = await inherit(await member(id), await member(from), at, {
        session: await session(id),
        meanwhile: () => clearWay(id, readsEndAfterMs),
      });
      if (inherited === undefined)
        say(`the WAL that ${from} left does not go on from what machine ${id} has, and is left where it is`);
      else if (inherited > 0) say(`machine ${id} has all that ${from} wrote: its WAL was there to be read`);
    },
    promote: async (id) => promote(await session(id), 30_000, () => clearWay(id, readsEndAfterMs)),
    learnTimelines: (id) => learnTimelines(context, cluster, id),
    gather: (id, former) => gather(context, app, id, former),
    async hold() {
      overrides.set(app, "held");
      await context.publish();
    },
    async open(id) {
      overrides.set(app, await machineOf(context, id));
      await context.publish();
    },
    async letGo() {
      overrides.delete(app);
      await context.publish();
    },
    async pause() {
      const held = await Promise.all(concerns.flatMap((one) => one.hold?.(context, cluster, pauseMs) ?? []));
      return async () => void (await Promise.all(held.map((letGo) => letGo())));
    },
    async begin(change) {
      let mine = false;
      await state.clusters.update(cluster, (record) => {
        mine = record.change === undefined || record.change.to === change.to || change.kind === "failover";
        const moves = record.change?.to === change.to && record.change.promote === true;
        return mine ? { ...record, change: { ...change, ...(moves ? { promote: true } : {}) } } : record;
      });
      return mine;
    },
    async crown(id, former) {
      const { change } = (await state.clusters.get(cluster)) ?? {};
      // Before it leads: a perchd that is killed between the two does both once more.
      if (change?.to === id && change.promote === true) await movePrimaryRegion(context, app, id);
      await state.clusters.update(cluster, ({ change: _done, ...record }) => {
        const synchronous = promiseOf(record, id, former);
        return { ...record, leader: id, ...(synchronous === undefined ? {} : { synchronous }) };
      });
    },
    async withdraw() {
      await state.clusters.update(cluster, ({ change: _gone, ...record }) => record);
    },
    async reckon(id, former) {
      if (id === former) return;
      const login = { user: superuser, password: (await passwordsOf(context, app)).perch };
      // What is said afterwards must not undo what is done.
      const losses = await lossesAfter(await member(id), login, await member(former)).catch((error: unknown) =>
        context.log.warn({ err: error }, "what the change of leader took was not found out"),
      );
      const text = losses === undefined ? "" : lossesText(losses);
      if (text !== "") say(`the change of leader of ${app} took ${text}: they are not in the WAL that a replica has`);
    },
    say,
  };
}
