import { steadyNow } from "../../base/clock.ts";
import { counted } from "../../base/count.ts";
import { randomPassword } from "../../vault/random-password.ts";
import { fail } from "../../errors/error.ts";
import { checkAppName, checkRegion } from "../../model/name.ts";
import type { AppRecord, ClusterRecord } from "../../model/records.ts";
import { checkPassword, clusterSecrets, databaseUrl } from "../../model/secret.ts";
import { findPrograms } from "../../cluster/programs.ts";
import { sealedSecret } from "../../vault/sealed-secret.ts";
import { appExists } from "./apps.ts";
import { requireCluster } from "./cluster.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { newMachines } from "./new-machines.ts";
import { restartHandler } from "./restart.ts";
import { settle } from "../wait.ts";
import { clusterShape } from "../views/views.ts";

type ClusterHandlers = Pick<
  Handlers,
  "listClusters" | "createCluster" | "showCluster" | "destroyCluster" | "restartCluster"
>;

export function clusterHandlers(deps: Deps): ClusterHandlers {
  const { state, vault, events, clusters, place } = deps;

  async function show(app: string) {
    const { loop, record } = await requireCluster(deps, app);
    const view = loop.view() ?? {
      cluster: record,
      diskFull: false,
      primaryRegion: "",
      program: undefined,
      tablespaces: [],
      members: [],
      attachments: [],
      slots: undefined,
      lostSlots: [],
      busy: undefined,
      trouble: undefined,
      found: new Map(),
      unseen: new Map(),
      things: new Map(),
      progress: [],
      verdict: { do: "keep" as const },
      successors: { ids: [], why: "" },
      now: steadyNow(),
    };
    const { primaryRegion = "" } = (await state.apps.get({ name: app })) ?? {};
    return clusterShape(view, place.mode, { version: String(record.major), primaryRegion });
  }

  return {
    async listClusters() {
      const records = await state.clusters.list();
      return Promise.all(
        records.filter((record) => clusters.find(record.app) !== undefined).map((record) => show(record.app)),
      );
    },

    showCluster: ({ params }) => show(params.cluster),

    async createCluster({ body }, call) {
      const name = checkAppName(body.name, "cluster name");
      const region = checkRegion(body.region);
      const password = body.password === undefined ? randomPassword() : checkPassword(body.password);
      const taken = await state.apps.get({ name });
      if (taken !== undefined) throw appExists(taken);
      call.progress("looking for PostgreSQL");
      const binaries = await findPrograms(deps.home, { major: body.version, directory: body.binaries });
      call.progress(`PostgreSQL ${binaries.version} (${binaries.source}) in ${binaries.directory}`);

      const machines = await newMachines(deps, name, region, body.size);
      const now = new Date().toISOString();
      const app: AppRecord = { name, kind: "cluster", primaryRegion: region, createdAt: now };
      const cluster: ClusterRecord = {
        app: name,
        phase: "creating",
        major: binaries.major,
        binaries: binaries.directory,
        leader: machines[0]?.id ?? "",
        settings: {},
        createdAt: now,
      };
      const secrets = {
        [clusterSecrets.operator]: password,
        [clusterSecrets.perch]: randomPassword(),
        [clusterSecrets.replicator]: randomPassword(),
      };
      const { done } = await vault.sealing((sealer) =>
        state.commit(
          [state.apps.absent(app)],
          [
            state.apps.put(app),
            state.clusters.put(cluster),
            ...machines.map((machine) => state.machines.put(machine)),
            ...Object.entries(secrets).map(([secret, value]) =>
              state.secrets.put(sealedSecret(sealer, name, secret, value)),
            ),
          ],
        ),
      );
      if (!done) throw appExists((await state.apps.get({ name })) ?? { name, kind: "app" });

      const loop = clusters.open(name);
      await settle(loop, call, {
        what: `creating cluster ${name}`,
        things: ["cluster", ...machines.map((machine) => machine.id)],
        done: (view) => (view?.cluster.phase === "ready" ? true : undefined),
        undone: (view) => view === undefined,
        cancel: async () =>
          void (await state.clusters.update({ app: name }, (record) => ({
            ...record,
            phase: record.phase === "creating" ? "destroying" : record.phase,
          }))),
      });
      await events.append(
        name,
        `cluster ${name} was created with ${counted(machines.length, "member")}, the leader in ${region}`,
      );
      const shown = await show(name);
      return {
        cluster: shown,
        username: "postgres",
        password,
        hostname: shown.host,
        port: shown.port,
        connectionString: databaseUrl({
          user: "postgres",
          password,
          host: shown.host,
          port: shown.port,
          database: "postgres",
        }),
      };
    },

    async destroyCluster({ params, query }, call) {
      const { loop, record } = await requireCluster(deps, params.cluster);
      const attached = (await state.attachments.list({ cluster: record.app })).filter(
        (attachment) => attachment.phase === "ready",
      );
      if (attached.length > 0 && !query.detach)
        throw fail("app_in_use", {
          app: record.app,
          by: `${attached.map((attachment) => attachment.app).join(", ")} attached to it`,
        });
      await state.clusters.update(record, (current) => ({ ...current, phase: "destroying" }));
      await settle(loop, call, {
        what: `destroying cluster ${record.app}`,
        things: [],
        done: (view) => (view === undefined ? true : undefined),
      });
      return {};
    },

    restartCluster: restartHandler(deps),
  };
}
