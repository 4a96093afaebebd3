import type { Hands } from "../engine/hands.ts";
import type { ClusterRecord } from "../model/records.ts";
import { endWholly } from "../postgres/server.ts";
import { type Context, memberOf, passwordsOf } from "./context.ts";
import { machineOf } from "./members.ts";
import { pausePool } from "./pools.ts";

/** So long a transaction may keep a switchover waiting. */
const pauseMs = 2_000;

/** One cluster as the engine works on it. */
export function handsOf(context: Context, cluster: ClusterRecord): Hands {
  const { state, monitors, overrides } = context;
  const { app } = cluster;
  const member = async (id: string) => memberOf(context, cluster, await machineOf(context, id));
  return {
    app,
    member,
    session: async (id) => monitors.session(await member(id), (await passwordsOf(context, app)).perch),
    leave: (id) => monitors.drop(id),
    kill: async (id) => endWholly(await member(id), (await machineOf(context, id)).process),
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
    pause: () => pausePool(context, cluster, pauseMs),
    async begin(change) {
      let mine = false;
      await state.clusters.update(cluster, (record) => {
        mine = record.change === undefined || record.change.to === change.to || change.kind === "failover";
        return mine ? { ...record, change } : record;
      });
      return mine;
    },
    async crown(id) {
      await state.clusters.update(cluster, ({ change: _done, ...record }) => ({
        ...record,
        leader: id,
        ...(record.synchronous === undefined ? {} : { synchronous: { names: [], holders: [] } }),
      }));
    },
    async withdraw() {
      await state.clusters.update(cluster, ({ change: _gone, ...record }) => record);
    },
    say: (sentence) => context.say(app, sentence),
  };
}
