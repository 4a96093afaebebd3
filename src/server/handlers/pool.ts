import { clusterSecrets } from "../../model/secret.ts";
import { fail } from "../../errors/error.ts";
import { machineAddress } from "../../model/address.ts";
import type { Pool } from "../../model/records.ts";
import { findRegion } from "../../model/region.ts";
import { mayPrepare, safeMode, samePool, wantedMode } from "../../model/pool.ts";
import { dismiss, makePoolUser } from "../../pgbouncer/lookup.ts";
import { findPooler } from "../../pgbouncer/server.ts";
import { superuser } from "../../postgres/instance/hba.ts";
import { connect } from "../../postgres/sql/session.ts";
import { memberOf, passwordsOf } from "../../cluster/context.ts";
import { countsOf } from "../../cluster/pooler-clients.ts";
import { leaderPooler, lookupKey, poolerKey, poolersOf, poolFactsOf, poolPassword } from "../../cluster/poolers.ts";
import { replaceOlder } from "../../reconcile/concerns/poolers/run.ts";
import type { ClusterView } from "../../cluster/view.ts";
import { sealedSecret } from "../../vault/sealed-secret.ts";
import { requireCluster, requireLeader } from "./cluster.ts";
import { randomPassword } from "../../vault/random-password.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { onLeader } from "./leader.ts";
import { settle } from "../wait.ts";

type PoolHandlers = Pick<Handlers, "showPool" | "setPool" | "removePool">;

const defaultSize = 20;

/** A pooler before a cluster: the wish, the role as whom it looks others up, and what there is of it. */
export function poolHandlers(deps: Deps): PoolHandlers {
  const { state, vault, events, place } = deps;

  async function shown(view: ClusterView | undefined, app: string, pool: Pool | undefined) {
    const poolers = poolersOf(view);
    const running = poolers.find(({ facts }) => facts.version !== undefined)?.facts.version;
    // Without PgBouncer there is no version to show.
    const version = pool === undefined ? undefined : (running ?? (await findPooler().catch(() => undefined))?.version);
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
          counts: (view && facts.answers ? await countsOf(deps.context, view.cluster, id) : undefined) ?? null,
          ...(trouble === undefined ? {} : { note: trouble.why }),
        })),
      ),
    };
  }

  /** What the pooler looked roles up by goes, in every database. */
  async function forgetRole(app: string): Promise<void> {
    const { record, leader } = await requireLeader(deps, app);
    const { perch } = await passwordsOf(deps, app);
    await dismiss((database) =>
      connect(memberOf(deps, record, leader.record), { user: superuser, password: perch, database }),
    );
    for (const key of deps.context.admitted) if (key.startsWith(`${app}/`)) deps.context.admitted.delete(key);
    await state.secrets.remove({ app, name: clusterSecrets.pooler });
  }

  return {
    async showPool({ params }) {
      const { record, loop } = await requireCluster(deps, params.cluster);
      return shown(loop.view(), record.app, record.pool);
    },

    async setPool({ params, body }, call) {
      if (place.mode === "portable") throw fail("pool_portable", {});
      const { record, loop } = await requireLeader(deps, params.cluster);
      const { version } = await findPooler(true);
      const app = record.app;
      const how = wantedMode(record.pool, body, version);
      await checkSize(deps, app, body.size);
      if ((await state.secrets.get({ app, name: clusterSecrets.pooler })) === undefined)
        await vault.sealing((sealer) =>
          state.secrets.create(sealedSecret(sealer, app, clusterSecrets.pooler, randomPassword())),
        );
      const password = await poolPassword(deps, app);
      await onLeader(deps, app, (session) => makePoolUser(session, password));
      const address = record.pool?.address ?? (await newAddress(deps, app));
      const pool: Pool = { ...how, size: body.size ?? record.pool?.size ?? defaultSize, address };
      await state.clusters.update(record, (current) => ({ ...current, pool }));
      await replaceOlder(
        deps.context,
        record,
        poolersOf(loop.view()).map(({ id }) => id),
        version,
      );
      const ready = (view: ClusterView | undefined) => {
        const poolers = poolersOf(view).filter(({ facts }) => facts.wanted);
        const whole =
          poolers.length > 0 && poolers.every(({ facts }) => facts.running && facts.current && !facts.paused);
        return whole &&
          view !== undefined &&
          poolFactsOf(view)?.unadmitted.length === 0 &&
          samePool(view.cluster.pool, pool)
          ? view
          : undefined;
      };
      const things = [
        lookupKey,
        poolerKey(leaderPooler),
        ...(loop.view()?.members ?? []).map((member) => poolerKey(member.record.id)),
      ];
      const view = await settle(loop, call, { what: `switching the pooler of ${app} on`, things, done: ready }).catch(
        async (error: unknown) => {
          await state.clusters.update(record, ({ pool: _undone, ...rest }) =>
            record.pool === undefined ? rest : { ...rest, pool: record.pool },
          );
          if (record.pool === undefined)
            await forgetRole(app).catch((reason: unknown) =>
              deps.log.warn({ err: reason }, "the pooler's role is left"),
            );
          throw error;
        },
      );
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
      await state.clusters.update(record, ({ pool: _gone, ...rest }) => rest);
      await settle(loop, call, {
        what: `switching the pooler of ${app} off`,
        things: [],
        done: (view) =>
          view !== undefined && poolersOf(view).length === 0 && view.cluster.pool === undefined ? true : undefined,
      });
      await forgetRole(app);
      await events.append(app, `the pooler of ${app} is off`);
      return shown(loop.view(), app, undefined);
    },
  };
}

/** More than PostgreSQL takes in all would only fail later, under load. */
async function checkSize(deps: Deps, app: string, size: number | undefined): Promise<void> {
  const asked = "SELECT setting::int AS max FROM pg_settings WHERE name = 'max_connections'";
  const [row] = await onLeader(deps, app, (session) => session.query<{ max: number }>(asked));
  if (size === undefined || row === undefined || size < row.max) return;
  throw fail("size_invalid", {
    what: "--size",
    value: size,
    why: `the cluster takes ${row.max} connections in all (max_connections)`,
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
