import { fail } from "../../errors/error.ts";
import type { Owner } from "../../host/files/files.ts";
import type { Place } from "../../host/process/place.ts";
import { identify } from "../../host/process/process.ts";
import type { Barred } from "../../host/process/walls.ts";
import { checkRegion, printable } from "../../model/name.ts";
import type { MachineRecord } from "../../model/records.ts";
import { openSecret } from "../../vault/sealed-secret.ts";
import { requireApp } from "./apps.ts";
import { newRun } from "./new-machines.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";
import { portableUrl } from "../../model/attachment-url.ts";
import { libpqVariables, machineVariables } from "./run-environment.ts";
import { runShape } from "../views/views.ts";

type RunHandlers = Pick<Handlers, "createRun" | "endRun">;

const defaultRegion = "ams";

export function runHandlers(deps: Deps): RunHandlers {
  const { state, publisher } = deps;
  return {
    async createRun({ body }) {
      const note = (await deps.outward.open()) ?? null;
      const app = body.app === undefined ? undefined : await requireApp(deps, body.app);
      const primaryRegion = app && (app.primaryRegion ?? (await regionOfCluster(deps, app.name)));
      const region = checkRegion(body.region ?? primaryRegion ?? defaultRegion);
      const holder = await identify(body.pid);
      if (holder === undefined) throw fail("request_invalid", { why: `body.pid: no process ${body.pid} lives` });
      if (app === undefined) {
        return {
          machine: null,
          note,
          ...(await inside(deps, region, undefined)),
          env: machineVariables({ app: undefined, region, primaryRegion: undefined, machine: undefined }),
          defaults: {},
        };
      }
      const machine = await newRun(deps, app.name, region, holder);
      await publisher.publish();
      const secrets = await openSecrets(deps, app.name);
      return {
        machine: runShape(machine),
        note,
        ...(await inside(deps, region, machine)),
        env: { ...secrets, ...machineVariables({ app: app.name, region, primaryRegion, machine }) },
        defaults: libpqVariables(secrets["DATABASE_URL"]),
      };
    },

    async endRun({ params }) {
      const record = await state.machines.get({ id: params.machine });
      if (record === undefined) return {};
      if (record.kind !== "run") throw fail("machine_not_found", { machine: printable(params.machine) });
      // Its files go by the network's loop.
      await state.machines.remove(record);
      await publisher.publish();
      return {};
    },
  };
}

/** An app that was given no region of its own has that of the cluster it is attached to: there the leader is. */
async function regionOfCluster({ state }: Pick<Deps, "state">, app: string): Promise<string | undefined> {
  const [attachment] = await state.attachments.list({ app });
  return attachment && (await state.apps.get({ name: attachment.cluster }))?.primaryRegion;
}

function barredOf({ owner, former }: Place): Barred | null {
  if (owner === undefined || owner.uid === 0) return null;
  const numbers = ({ uid, gid }: Owner) => ({ uid, gid });
  return { ...numbers(owner), ...(former === undefined ? {} : { former: numbers(former.owner) }) };
}

type Entered = Pick<Deps, "place" | "runs">;

/** What `launch` needs to start a command there: the way in, and whom the command must not become. */
export const inside = async (
  deps: Entered,
  region: string,
  machine: Pick<MachineRecord, "id" | "address"> | undefined,
) => ({
  enter: await enter(deps, region, machine),
  barred: deps.place.mode === "root" ? barredOf(deps.place) : null,
});

/** argv that enters the network as this host. */
export const enter = (
  { runs }: Entered,
  region: string,
  machine: Pick<MachineRecord, "id" | "address"> | undefined,
): Promise<string[]> => runs.enter(region, machine);

export async function openSecrets({ state, vault, place }: Deps, app: string): Promise<Record<string, string>> {
  const secrets = await state.secrets.list({ app });
  const opened = Object.fromEntries(secrets.map((secret) => [secret.name, openSecret(vault, secret)]));
  if (place.mode !== "portable") return opened;
  const clusters = new Map((await state.clusters.list()).map((cluster) => [cluster.app, cluster]));
  for (const attachment of await state.attachments.list({ app })) {
    const value = opened[attachment.variable];
    const port = clusters.get(attachment.cluster)?.portablePort;
    if (value !== undefined && port !== undefined) opened[attachment.variable] = portableUrl(value, attachment, port);
  }
  return opened;
}
