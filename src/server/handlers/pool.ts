import { countsOf } from "../../cluster/pooler-clients.ts";
import {
  changeThing,
  connectionsTaken,
  leaderPooler,
  lookupKey,
  poolerKey,
  poolersOf,
  poolerVersion,
  poolFactsOf,
} from "../../cluster/poolers.ts";
import type { ClusterView } from "../../cluster/view.ts";
import { fail } from "../../errors/error.ts";
import { machineAddress } from "../../model/address.ts";
import { mayPrepare, poolTakenBack, safeMode, samePool, wantedMode, withPool } from "../../model/pool.ts";
import type { Pool } from "../../model/records.ts";
import { findRegion } from "../../model/region.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";
import { requireCluster, requireLeader } from "./cluster.ts";

type PoolHandlers = Pick<Handlers, "showPool" | "setPool" | "removePool">;

const defaultSize = 20;

/** A pooler before a cluster: it is asked for, and the loop makes it so. */
export function poolHandlers(deps: Deps): PoolHandlers {
  const { state, events, place, context } = deps;

  async function shown(view: ClusterView | undefined, app: string, pool: Pool | undefined) {
    const poolers = poolersOf(view);
    const running = poolers.find(({ facts }) => facts.version !== undefined)?.facts.version;
    // Without PgBouncer there is no version to show.
    const version = pool === undefined ? undefined : (running ?? (await poolerVersion().catch(() => undefined)));
    return {
      cluster: app,
      on: pool !== undefined,
      mode: pool === undefined ? null : version === undefined ? pool.mode : safeMode(pool, version),
      size: pool?.size ?? null,
      version: version ?? null,
      preparedStatements: pool === undefined ? null : mayPrepare(pool),
      poolers: await Promise.all(
        poolers.map(async ({ id, facts, trouble }) => ({
          id,
          state: facts.running ? (facts.paused ? ("paused" as const) : ("started" as const)) : ("stopped" as const),
          counts: (view && facts.answers ? await countsOf(context, view.cluster, id) : undefined) ?? null,
          ...(trouble === undefined ? {} : { note: trouble.why }),
        })),
      ),
    };
  }

  return {
    async showPool({ params }) {
      const { record, loop } = await requireCluster(deps, params.cluster);
      return shown(loop.view(), record.app, record.pool);
    },

    async setPool({ params, body }, call) {
      if (place.mode === "portable") throw fail("pool_portable", {});
      const { record, loop } = await requireLeader(deps, params.cluster);
      const { app } = record;
      const version = await poolerVersion(true);
      const how = wantedMode(record.pool, body, version);
      checkSize(body.size, await connectionsTaken(context, record));
      const address = record.pool?.address ?? (await newAddress(deps, app));
      const pool: Pool = { ...how, size: body.size ?? record.pool?.size ?? defaultSize, address };
      await state.clusters.update(record, (current) => withPool(current, pool, version));
      const members = loop.view()?.members ?? [];
      let noted = false;
      const view = await settle(loop, call, {
        what: `switching the pooler of ${app} on`,
        things: [lookupKey, poolerKey(changeThing), ...[leaderPooler, ...members.map(idOf)].map(poolerKey)],
        done(now) {
          noted ||= now?.cluster.poolBefore !== undefined;
          return noted && now?.cluster.poolBefore === undefined ? now : undefined;
        },
        undone: (now) => now === undefined || (now.cluster.poolBefore === undefined && isRestful(now)),
        cancel: async () => void (await state.clusters.update(record, poolTakenBack)),
      });
      if (!samePool(view.cluster.pool, pool))
        throw fail("busy", { what: `the pooler of ${app}`, by: "another change" });
      const told =
        pool.preparedStatements === false ? "transaction mode without prepared statements" : `${pool.mode} mode`;
      await events.append(
        app,
        `the pooler of ${app} is on: ${told}, ${pool.size} connections for each database and role`,
      );
      return shown(view, app, pool);
    },

    async removePool({ params }, call) {
      const { record, loop } = await requireLeader(deps, params.cluster);
      const { app } = record;
      const pooled = (await state.attachments.list({ cluster: app })).filter(
        (attachment) => attachment.pooled === true,
      );
      if (pooled.length > 0)
        throw fail("app_in_use", {
          app: `the pooler of ${app}`,
          by: `${pooled.map((one) => one.app).join(", ")} attached through it`,
        });
      await state.clusters.update(record, ({ pool: _gone, poolBefore: _too, ...rest }) => rest);
      await settle(loop, call, {
        what: `switching the pooler of ${app} off`,
        things: [lookupKey],
        done: (view) => (view !== undefined && view.cluster.pool === undefined && isRestful(view) ? true : undefined),
      });
      await events.append(app, `the pooler of ${app} is off`);
      return shown(loop.view(), app, undefined);
    },
  };
}

const idOf = ({ record }: ClusterView["members"][number]): string => record.id;

/** Where none is wanted, none is left, nor what it looked roles up by. */
const isRestful = (view: ClusterView): boolean =>
  view.cluster.pool !== undefined || (poolersOf(view).length === 0 && poolFactsOf(view)?.password === false);

function checkSize(size: number | undefined, max: number | undefined): void {
  if (size === undefined || max === undefined || size < max) return;
  throw fail("size_invalid", {
    what: "--size",
    value: size,
    why: `the cluster takes ${max} connections in all (max_connections)`,
  });
}

/** An address of its own in the region of the cluster, never used before. */
async function newAddress({ state, prefix }: Deps, app: string): Promise<string> {
  const region = findRegion((await state.apps.get({ name: app }))?.primaryRegion ?? "");
  const network = await state.network.update({}, (record) => ({ ...record, nextMachine: record.nextMachine + 1 }));
  if (region === undefined || network === undefined)
    throw fail("internal", { why: "the network or the cluster's region has no record" });
  return machineAddress(prefix, region, network.nextMachine - 1);
}
