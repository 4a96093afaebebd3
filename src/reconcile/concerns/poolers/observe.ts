import { join } from "node:path";
import { within } from "../../../base/deadline.ts";
import type { Sight } from "../../../cluster/concern.ts";
import type { Context } from "../../../cluster/context.ts";
import { consoleOf, describedBy } from "../../../cluster/pooler-clients.ts";
import {
  leaderPooler,
  type PoolerFacts,
  poolerLayout,
  poolersWanted,
  type PoolFacts,
} from "../../../cluster/poolers.ts";
import { namesIn } from "../../../host/files/files.ts";
import { safeMode } from "../../../model/pool.ts";
import type { ClusterRecord, MachineRecord } from "../../../model/records.ts";
import { clusterSecrets } from "../../../model/secret.ts";
import type { Running } from "../../../pgbouncer/console.ts";
import { unadmitted } from "../../../pgbouncer/lookup.ts";
import {
  findPoolerProcess,
  keepLogShort,
  type Pooler,
  poolerIsCurrent,
  runsAsFormer,
} from "../../../pgbouncer/server.ts";
import type { Session } from "../../../postgres/sql/session.ts";
import { olderIn } from "./lookup.ts";
import { hasRole } from "./role.ts";
import { certificateOf, poolerOf, poolSubject, type Uncertified } from "./pooler.ts";

/** What runs, wanted or not, and where it may look roles up; empty where no pool is or was. */
export async function observePoolers(
  context: Context,
  cluster: ClusterRecord,
  leader: Session | undefined,
  sight: Sight,
): Promise<PoolFacts> {
  const wanted = poolersWanted(cluster, sight.machines);
  const there = await namesIn(join(context.home.postgres, "pool", cluster.app));
  const ids = new Set([
    ...wanted.keys(),
    ...there.map((name) => (name === `${cluster.app}-${leaderPooler}` ? leaderPooler : name)),
  ]);
  const poolers = [...ids].map(async (id) => {
    const facts = await look(context, cluster, id, { config: wanted.get(id), machines: sight.machines });
    return {
      id,
      facts,
      silentSince: sight.since(id, "silent", facts.wanted && facts.running && !facts.answers),
    };
  });
  const secret = await context.state.secrets.get({ app: cluster.app, name: clusterSecrets.pooler });
  return {
    poolers: await Promise.all(poolers),
    password: secret !== undefined,
    role: cluster.pool === undefined ? undefined : await hasRole(context, secret, leader),
    unadmitted: leader === undefined || cluster.pool === undefined ? [] : await unadmittedIn(context, cluster, leader),
    older: olderIn(context, cluster.app).map(([, database]) => database),
  };
}

async function look(
  context: Context,
  cluster: ClusterRecord,
  id: string,
  { config, machines }: { config: Pooler["config"] | undefined; machines: readonly MachineRecord[] },
): Promise<PoolerFacts> {
  const at = poolerLayout(context, cluster, id);
  const running = (await findPoolerProcess(at)) !== undefined;
  const former = running && runsAsFormer(at, context.place) ? { former: true as const } : {};
  const silent = { answers: false, current: false, paused: false, version: undefined, ...former };
  // Without a password it cannot be asked.
  const known = await context.state.secrets.get({ app: cluster.app, name: clusterSecrets.pooler });
  if (config === undefined || !running || known === undefined)
    return { wanted: config !== undefined, running, ...silent };
  const pooler = await poolerOf(context, cluster, id, config);
  const certified = (await certificateOf(context, at, poolSubject(context, cluster, machines, config))) !== undefined;
  const described = await describedBy(await consoleOf(context, cluster, id));
  await keepLogShort(at);
  return {
    wanted: true,
    running,
    answers: described !== undefined,
    current: described === undefined || (certified && (await isAsWanted(pooler, described))),
    paused: !context.flowing.has(at.root),
    version: described?.version,
    ...former,
    ...(described !== undefined && described.mode !== safeMode(config, described.version)
      ? { switches: switchOf(config, described) }
      : {}),
  };
}

const isAsWanted = async (pooler: Uncertified, { version, mode }: Running): Promise<boolean> =>
  mode === safeMode(pooler.config, version) && poolerIsCurrent(pooler, version);

/** Into which mode it must go, and why. */
function switchOf(config: Pooler["config"], { version }: Running): string {
  const to = safeMode(config, version);
  if (to === config.mode) return `to ${to} mode, in which its clients begin again`;
  return `to ${to} mode: in ${config.mode} mode PgBouncer ${version} gives wrong rows to clients that prepare statements`;
}

/** So long the leader is waited for; else it is asked at the next look. Milliseconds. */
const patienceMs = 2_000;

async function unadmittedIn({ admitted }: Context, { app }: ClusterRecord, leader: Session): Promise<string[]> {
  const known = new Set(
    [...admitted].filter((key) => key.startsWith(`${app}/`)).map((key) => key.slice(app.length + 1)),
  );
  // Asked again at the next look.
  return (await within(patienceMs, unadmitted(leader, known)).catch(() => undefined)) ?? [];
}
