import type { Context } from "../../../cluster/context.ts";
import { poolersWanted } from "../../../cluster/poolers.ts";
import { safeMode } from "../../../model/pool.ts";
import type { ClusterRecord, MachineRecord } from "../../../model/records.ts";
import { describe } from "../../../pgbouncer/console.ts";
import { ensurePooler } from "../../../pgbouncer/server.ts";
import { certificateOf, consoleAt, letGo, poolerOf, poolSubject, type Uncertified } from "./pooler.ts";

/** Started, told or let go on: as it should be afterwards. */
export async function runPooler(
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
  const console = await consoleAt(pooler);
  await letGo(context, pooler, console).finally(() => console.close());
  await keepSafe(context, cluster, pooler);
}

/**
 * A mode that this version must not have is asked for no longer: a newer version would switch back some day, when apps
 * count on a session of their own.
 */
async function keepSafe({ state, say }: Context, { app }: ClusterRecord, pooler: Uncertified): Promise<void> {
  const console = await consoleAt(pooler);
  const { version } = await describe(console).finally(() => console.close());
  const { config } = pooler;
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
