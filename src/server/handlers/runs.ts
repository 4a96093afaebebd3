import { dirname, join } from "node:path";
import { steadyNow } from "../../base/clock.ts";
import { fail } from "../../errors/error.ts";
import { makeDirectory, type Owner, readText, removeTree, writeWhole } from "../../host/files/files.ts";
import type { Place } from "../../host/process/place.ts";
import { identify, isAlive, isTaken } from "../../host/process/process.ts";
import type { Barred } from "../../host/process/walls.ts";
import { networkResolver, regionResolver } from "../../model/address.ts";
import { checkRegion, printable } from "../../model/name.ts";
import type { MachineRecord } from "../../model/records.ts";
import { findRegion } from "../../model/region.ts";
import { enterNetwork, hostsText } from "../../network/enter.ts";
import { nsswitchText, resolvText } from "../../network/lookup-files.ts";
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
      await forget(deps, [record]);
      return {};
    },
  };
}

/** An app that was given no region of its own has that of the cluster it is attached to: there the leader is. */
async function regionOfCluster({ state }: Pick<Deps, "state">, app: string): Promise<string | undefined> {
  const [attachment] = await state.attachments.list({ app });
  return attachment && (await state.apps.get({ name: attachment.cluster }))?.primaryRegion;
}

async function forget({ state, publisher, home }: Deps, records: readonly MachineRecord[]): Promise<void> {
  await state.commit(
    [],
    records.map((record) => state.machines.drop(record)),
  );
  await publisher.publish();
  await Promise.all(records.map((record) => removeTree(runDirectory(home, record.id))));
}

/** A number that was given to another process within the time is noticed a minute later. */
const wholeLookMs = 60_000;

/**
 * Runs whose CLI is gone without a word (killed, or perchd was away) are forgotten. Whether a number is in use is asked
 * of a thousand in a millisecond; whose it is takes longer.
 */
export function endedRuns(): (deps: Deps) => Promise<void> {
  let lastWhole = -Infinity;
  return async (deps) => {
    const whole = steadyNow() - lastWhole >= wholeLookMs;
    if (whole) lastWhole = steadyNow();
    const ended: MachineRecord[] = [];
    for (const record of await deps.state.machines.list()) {
      if (record.kind !== "run") continue;
      const lives =
        record.process !== undefined && isTaken(record.process.pid) && (!whole || (await isAlive(record.process)));
      if (!lives) ended.push(record);
    }
    if (ended.length > 0) await forget(deps, ended);
  };
}

const runDirectory = (home: Deps["home"], id: string): string => join(home.runtime, "runs", id);

function barredOf({ owner, former }: Place): Barred | null {
  if (owner === undefined || owner.uid === 0) return null;
  const numbers = ({ uid, gid }: Owner) => ({ uid, gid });
  return { ...numbers(owner), ...(former === undefined ? {} : { former: numbers(former.owner) }) };
}

type Located = Pick<Deps, "home" | "place" | "prefix">;

/** What `launch` needs to start a command there: the way in, and whom the command must not become. */
export const inside = async (
  deps: Located,
  region: string,
  machine: Pick<MachineRecord, "id" | "address"> | undefined,
) => ({
  enter: await enter(deps, region, machine),
  barred: deps.place.mode === "root" ? barredOf(deps.place) : null,
});

/** argv that enters the network as this host; its files are made first. */
export async function enter(
  { home, place, prefix }: Located,
  regionCode: string,
  machine: Pick<MachineRecord, "id" | "address"> | undefined,
): Promise<string[]> {
  if (place.mode === "portable") return [];
  const region = findRegion(regionCode);
  const resolver = region === undefined ? networkResolver(prefix) : regionResolver(prefix, region);
  const directory = runDirectory(home, machine?.id ?? regionCode);
  const files = {
    resolv: join(directory, "resolv.conf"),
    nsswitch: join(directory, "nsswitch.conf"),
    hosts: join(directory, "hosts"),
  };
  const hosts = (await readText("/etc/hosts")) ?? "";
  await makeDirectory(directory, { mode: 0o755 });
  await writeWhole(files.resolv, resolvText(resolver), { mode: 0o644 });
  await writeWhole(files.nsswitch, nsswitchText((await readText("/etc/nsswitch.conf")) ?? ""), { mode: 0o644 });
  await writeWhole(files.hosts, machine === undefined ? hosts : hostsText(hosts, machine.address), { mode: 0o644 });
  // Of this network and of every other of this user.
  const covered = [home.base, dirname(home.runtime)];
  return enterNetwork(place, files, covered, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
}

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
