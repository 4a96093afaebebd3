/** What the loop of one cluster works with, and the servers of its members as the room `postgres/` wants them. */
import { clusterSecrets } from "../model/secret.ts";
import { memberPort } from "../model/ports.ts";
import type { Log } from "../base/log.ts";
import { fail, type PerchError } from "../errors/error.ts";
import type { Home } from "../host/system/home.ts";
import { asOwnerOf, type Place } from "../host/process/place.ts";
import { doorNetwork, portableDoor } from "../model/door-address.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { slotDatabase } from "../postgres/instance/hba.ts";
import type { Authority } from "../postgres/tls/authority.ts";
import { certificateFiles, type Configuration } from "../postgres/instance/configure.ts";
import { layout, type Member } from "../postgres/instance/directory.ts";
import { connectionText, slotOf } from "../postgres/replication/replication.ts";
import { serverSettings, slotSync } from "../postgres/instance/settings.ts";
import type { State } from "../store/records.ts";
import { openSecret } from "../vault/sealed-secret.ts";
import type { Vault } from "../vault/vault.ts";
import type { Consoles } from "./consoles.ts";
import type { Monitors } from "./monitor.ts";
import type { IngressWay } from "./ways.ts";
import { standbysOf } from "./synchronous-standbys.ts";

/** Where connections of a cluster lead while its leadership changes: to that member, or they wait. */
export type Override = MachineRecord | "held";

export interface Context {
  home: Home;
  place: Place;
  /** Three groups, "fdaa:3f9a:12bc". */
  prefix: string;
  state: State;
  vault: Vault;
  monitors: Monitors;
  consoles: Consoles;
  /** Poolers that keep nobody waiting, by their directory: those this perchd has told to go on. */
  flowing: Set<string>;
  /** `<cluster>/<number of a database>` into which a pooler may look. */
  admitted: Set<string>;
  /** The same → the database's name, where an older Perch left what its poolers asked. */
  older: Map<string, string>;
  /** Signs the certificates of servers. */
  authority: Authority;
  memoryBytes: number;
  diskBytes: number;
  log: Log;
  /** An event. `by`: who asked for what it tells, where Perch did it for them and they may be gone. */
  say(subject: string, sentence: string, by?: string): void;
  /** App → what was last said against the certificate that was given for it. */
  complaints: Map<string, string>;
  /** Cluster → what to tell those who wait for a restart or a change of settings, when it was taken back. */
  takenBack: Map<string, PerchError>;
  /** Member → why it runs as the user of an older Perch still, though it was started again. */
  staying: Map<string, string>;
  /** Cluster → the member whose data is being replaced or removed. */
  going: Map<string, string>;
  /** Where connections lead while leadership changes, in place of what the last look saw. */
  overrides: Map<string, Override>;
  ingress: Pick<IngressWay, "look" | "state">;
  /** Addresses, names and routes as they are now. */
  publish(): Promise<void>;
}

export function memberOf(
  { home, place }: Pick<Context, "home" | "place">,
  cluster: ClusterRecord,
  machine: MachineRecord,
): Member {
  const at = layout(home, machine.id);
  return {
    id: machine.id,
    app: cluster.app,
    major: cluster.major,
    binaries: cluster.binaries,
    port: portOf(place, machine),
    layout: at,
    place: asOwnerOf(place, at.data),
  };
}

const portOf = (place: Place, machine: MachineRecord): number =>
  place.mode === "portable" ? (machine.portablePort ?? memberPort) : memberPort;
export const hostOf = (place: Place, machine: MachineRecord): string =>
  place.mode === "portable" ? "127.0.0.1" : machine.address;

/** The passwords a cluster was made with; they are secrets of its app. */
export interface Passwords {
  operator: string;
  perch: string;
  replicator: string;
}

export async function passwordsOf({ state, vault }: Pick<Context, "state" | "vault">, app: string): Promise<Passwords> {
  const open = async (name: string) => {
    const secret = await state.secrets.get({ app, name });
    if (secret === undefined) throw fail("state_damaged", { path: `secrets/${app}/${name}`, why: "it is missing" });
    return openSecret(vault, secret);
  };
  return {
    operator: await open(clusterSecrets.operator),
    perch: await open(clusterSecrets.perch),
    replicator: await open(clusterSecrets.replicator),
  };
}

/** As PostgreSQL takes it: any one of these. */
export const standbyNames = (names: readonly string[]): string =>
  names.length === 0 ? "" : `ANY 1 (${names.map((name) => `"${name}"`).join(", ")})`;

/** Who reads a slot that replicas keep must not be ahead of those who may lead next. */
function synchronousSettings(names: readonly string[], slotsAreKept: boolean): Record<string, string> {
  if (names.length === 0) return {};
  return {
    synchronous_standby_names: standbyNames(names),
    ...(slotsAreKept ? { synchronized_standby_slots: names.map(slotOf).join(",") } : {}),
  };
}

/** While a change is being taken back, the settings from before it. */
export const settingsInForce = ({
  settings,
  settingsBefore,
}: Pick<ClusterRecord, "settings" | "settingsBefore">): Record<string, string> =>
  settingsBefore?.refused === undefined ? settings : settingsBefore.settings;

/** What the files of a member should say. `leader` is undefined for the leader itself. */
export function configurationOf(
  context: Context,
  cluster: ClusterRecord,
  machine: MachineRecord,
  leader: MachineRecord | undefined,
  replicationPassword: string,
): Configuration {
  const { place, prefix } = context;
  const { layout: at } = memberOf(context, cluster, machine);
  const user = settingsInForce(cluster);
  const slotsAreKept = slotSync(cluster.major, user);
  const from = leader && {
    host: hostOf(place, leader),
    // A certificate that was given names the public host alone.
    ...(cluster.exposure?.files === undefined ? {} : { name: cluster.exposure.hostname }),
    port: portOf(place, leader),
    id: machine.id,
    passFile: place.seen(at.pass),
    authorityFile: place.seen(certificateFiles(at).authority),
    ...(slotsAreKept ? { database: slotDatabase } : {}),
  };
  const follow = from && { connection: connectionText(from), slot: slotOf(machine.id) };
  const facts = {
    id: machine.id,
    major: cluster.major,
    memoryBytes: context.memoryBytes,
    diskBytes: context.diskBytes,
    listen: [hostOf(place, machine)],
    port: portOf(place, machine),
    socketDirectory: at.sockets,
    logDirectory: place.seen(at.log),
    tlsDirectory: place.seen(at.tls),
    ...(follow === undefined ? {} : { follow }),
  };
  return {
    settings: { ...serverSettings(facts, user), ...synchronousSettings(standbysOf(cluster, machine.id), slotsAreKept) },
    networks: place.mode === "portable" ? ["127.0.0.1/32", "::1/128"] : [`${prefix}::/48`],
    door: {
      network: place.mode === "portable" ? portableDoor : doorNetwork(prefix),
      refused: cluster.exposure && (cluster.exposure.allowSuperuser ? [] : cluster.exposure.superusers),
    },
    slotSync: slotsAreKept,
    standby: leader !== undefined,
    replicationPassword,
  };
}
