import { counted } from "../../base/count.ts";
import { fail, type PerchError } from "../../errors/error.ts";
import { checkAppName, checkRegion } from "../../model/name.ts";
import type { AppRecord } from "../../model/records.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";

type AppHandlers = Pick<Handlers, "listApps" | "createApp" | "destroyApp">;

export function appHandlers({ state, events, publisher }: Deps): AppHandlers {
  const shape = async (record: AppRecord) => ({
    name: record.name,
    kind: record.kind,
    primaryRegion: record.primaryRegion ?? null,
    machines: (await state.machines.list()).filter((machine) => machine.app === record.name).length,
    createdAt: record.createdAt,
  });
  return {
    listApps: async () => Promise.all((await state.apps.list()).map(shape)),

    async createApp({ body }) {
      const name = checkAppName(body.name);
      if (body.primaryRegion !== undefined) checkRegion(body.primaryRegion);
      const record: AppRecord = {
        name,
        kind: "app",
        createdAt: new Date().toISOString(),
        ...(body.primaryRegion === undefined ? {} : { primaryRegion: body.primaryRegion }),
      };
      if (!(await state.apps.create(record))) throw appExists((await state.apps.get({ name })) ?? record);
      await events.append(name, `app ${name} was created`);
      await publisher.publish();
      return shape(record);
    },

    async destroyApp({ params }) {
      const record = await requireApp({ state }, params.app);
      if (record.kind === "cluster") throw fail("app_is_cluster", { app: record.name });
      const runs = (await state.machines.list()).filter((machine) => machine.app === record.name);
      if (runs.length > 0)
        throw fail("app_in_use", {
          app: record.name,
          by: `${counted(runs.length, "running command")}, ${runs.map((run) => run.id).join(", ")}`,
        });
      const attached = await state.attachments.list({ app: record.name });
      if (attached.length > 0)
        throw fail("app_in_use", {
          app: record.name,
          by: `it is attached to ${attached.map((attachment) => attachment.cluster).join(", ")}`,
        });
      const secrets = await state.secrets.list({ app: record.name });
      await state.commit([], [state.apps.drop(record), ...secrets.map((secret) => state.secrets.drop(secret))]);
      await events.append(record.name, `app ${record.name} was destroyed with its ${secrets.length} secrets`);
      await publisher.publish();
      return {};
    },
  };
}

export async function requireApp({ state }: Pick<Deps, "state">, name: string): Promise<AppRecord> {
  const record = await state.apps.get({ name });
  if (record === undefined) throw fail("app_not_found", { app: checkAppName(name) });
  return record;
}

/** The name is taken: by an app, or by a cluster, which another command destroys. */
export const appExists = ({ name, kind }: Pick<AppRecord, "name" | "kind">): PerchError =>
  fail("app_exists", { app: name, noun: kind === "cluster" ? "postgres" : "apps" });
