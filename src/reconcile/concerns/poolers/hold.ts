import type { Context } from "../../../cluster/context.ts";
import { leaderPooler, poolersWanted } from "../../../cluster/poolers.ts";
import type { ClusterRecord } from "../../../model/records.ts";
import { describe } from "../../../pgbouncer/console.ts";
import { guardPause } from "../../../pgbouncer/pause-guard.ts";
import { findPoolerProcess } from "../../../pgbouncer/server.ts";
import { consoleAt, letGo, poolerOf } from "./pooler.ts";

/**
 * Keeps the clients of the leader's pooler waiting between two transactions, at most that long for those under way, and
 * gives what lets them go on. A session keeps its server until its client leaves, so in session mode nobody is kept.
 * Without a pool it does nothing.
 */
export async function holdClients(
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
  const console = () => consoleAt(pooler).catch(() => undefined);
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
  const goOn = async () => {
    const told = resuming ?? (await consoleAt(pooler));
    await letGo(context, pooler, told).finally(() => told.close());
  };
  return async () => {
    await goOn().then(guarded).catch(warn("the pooler is not resumed yet"));
    await pausing?.close();
  };
}
