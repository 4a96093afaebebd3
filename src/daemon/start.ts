import { randomBytes } from "node:crypto";
import { actingAs, perchItself } from "../base/actor.ts";
import type { Log } from "../base/log.ts";
import { ask } from "../base/deadline.ts";
import { watchLoopDelay } from "../base/loop-delay.ts";
import { fail, toPerchError } from "../errors/error.ts";
import type { Home } from "../host/system/home.ts";
import { machineSize } from "../host/system/machine.ts";
import { networkPrefix } from "../model/address.ts";
import type { NetworkRecord } from "../model/records.ts";
import { openNamespace } from "../network/choose.ts";
import { openDialler } from "../network/dialler.ts";
import { outward } from "../network/egress.ts";
import { hostAccess } from "../network/host-access.ts";
import { networkInterface, type NetworkInterface } from "../network/interface.ts";
import { keepKernel } from "../network/kernel/supervisor.ts";
import { writeServerNames } from "../network/server-names.ts";
import { leftovers, removeLeftovers } from "../postgres/instance/leftovers.ts";
import { localEngine } from "../engine/local/engine.ts";
import { clusterLoops } from "../reconcile/clusters.ts";
import type { Context } from "../cluster/context.ts";
import { consoles } from "../cluster/consoles.ts";
import { monitors } from "../cluster/monitor.ts";
import { resolversOf, zoneOf } from "../routing/table.ts";
import { type Outlet, publisher } from "../routing/publisher.ts";
import { broughtBack, type ClusterView } from "../cluster/view.ts";
import { handlersOf } from "../server/handlers/handlers.ts";
import type { Handlers, HttpOptions } from "../server/http/http.ts";
import { proxyUpgrade } from "../server/http/proxy.ts";
import { openEvents, reports } from "../store/events.ts";
import { state as stateOf, type State } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import { keyFile } from "../vault/key-file.ts";
import { openVault } from "../vault/open-vault.ts";
import { forgetOldKey } from "../vault/rekey.ts";
import { openAuthority } from "./authority.ts";
import { brokenNow } from "./broken.ts";
import { dropManagedSettings } from "./former-settings.ts";
import { watchLimits } from "./limits.ts";
import { keepNameServer, type NameServer } from "./name-server.ts";
import { publicDoors } from "./public-doors.ts";
import { refuseUnreachable } from "./prepare.ts";
import { remoteDoor } from "./remote-door.ts";
import type { ApiSocket } from "./api-socket.ts";
import { keepRuntime } from "./runtime.ts";
import { relays } from "./relays.ts";
import { serverUsers } from "./server-users.ts";
import { shutDown } from "./shutdown.ts";
import { keepTidy } from "./tidy.ts";
import { wireGuardDoor } from "./wireguard.ts";
import { tellUnfinished, undoHalfMade, workOf } from "./work.ts";

export interface StartOptions {
  home: Home;
  version: string;
  store: Store;
  log: Log;
  portable: boolean;
  progress(sentence: string): void;
}

export interface Network {
  handlers: Handlers;
  upgrade: NonNullable<HttpOptions["upgrade"]>;
  mode: "root" | "user" | "portable";
  /** Ends everything of the network; once. */
  shutdown(progress: (sentence: string) => void): Promise<void>;
  /** Called when that is done. */
  onShutdown(listener: () => void): void;
  /** From now on the socket is kept. */
  speakAt(socket: ApiSocket): void;
}

/** What takes longer, like the recovery of a large server, goes on beside the API. */
const broughtBackMs = 15_000;

/**
 * Brings the network up: what runs already is adopted, what is missing is made. Resolves when every cluster is at work,
 * or takes long to be.
 */
export async function startNetwork(options: StartOptions): Promise<Network> {
  const { home, store, log, version, progress } = options;
  const since = new Date().toISOString();
  const state = stateOf(store);
  const vault = await openVault(keyFile(home.key), state);
  const events = reports(await openEvents(store), (error) => log.error({ err: error }, "an event could not be kept"));
  const record = await networkRecord(state, home.network);
  const { prefix } = record;
  const tell = (subject: string, sentence: string, by: string = perchItself) => {
    log.info({ subject }, sentence);
    actingAs(by, () => void events.append(subject, sentence));
  };

  forgetOldKey({ state, store }).then(
    (left) => left && tell("network", "the change of the secret key that an ended perchd had begun is through"),
    (error: unknown) => log.warn({ err: error }, "what the old secret key opens is still in perch.db"),
  );

  for (const { name, expiresAt } of await state.tokens.list())
    if (expiresAt === undefined)
      tell(
        "network",
        `token ${name} has no end, as 0.1.0 allowed: make another with perch tokens create, then: perch tokens revoke ${name}`,
      );

  await dropManagedSettings(state, tell);

  const users = await serverUsers(home);
  if (users?.because !== undefined)
    tell("network", `PostgreSQL runs as the distribution's user ${users.user.name}: ${users.because}`);
  const inside = (await state.machines.list()).flatMap(({ process: one }) => one ?? []);
  const opened = await openNamespace(home, {
    portable: options.portable,
    postgres: users?.user,
    former: users?.former,
    inside,
  });
  const { namespace } = opened;
  const { place } = namespace;
  const dialler = openDialler(() => place.tool([]));
  const wayIn = hostAccess(home, place, prefix);
  const wayOut = outward(home, place, (sentence) => tell("network", sentence));
  await refuseUnreachable(home, place, users?.user);
  if (opened.fellBack !== undefined) progress(`portable mode: ${opened.fellBack}`);

  const overrides: Context["overrides"] = new Map();
  const relay = relays(state);
  let nameServer: NameServer | undefined;
  let network: NetworkInterface | undefined;
  const doors = await publicDoors({ home, place, prefix, fresh: opened.fresh, say: tell });
  const openDoors = doors.open;
  let outlet: Outlet = {
    kind: "portable",
    openDoors,
    relay: (cluster) => relay.relay(cluster),
    closeGone: (clusters) => relay.closeGone(clusters),
  };
  if (place.mode !== "portable") {
    await writeServerNames(home, prefix);
    network = networkInterface(place, prefix);
    const pools = (await state.clusters.list()).flatMap(({ pool }) => pool ?? []);
    const machines = await state.machines.list();
    const addresses = (present: readonly { address: string }[]) => present.map(({ address }) => address);
    await network.setAddresses([...resolversOf(prefix), ...addresses([...machines, ...pools])]);
    const servers = addresses([...machines.filter(({ kind }) => kind === "postgres"), ...pools]);
    await network.setReach({ servers, resolvers: resolversOf(prefix) });
    const kept = await keepNameServer({
      control: `${home.runtime}/dns.sock`,
      version,
      enter: () => place.tool([]),
      zone: zoneOf({
        prefix,
        apps: await state.apps.list(),
        peers: await state.peers.list(),
        runs: [],
        overrides,
        views: [],
      }),
      fresh: opened.fresh,
      log,
      say: (sentence) => tell("network", sentence),
    });
    nameServer = kept;
    outlet = { kind: "namespace", openDoors, network, setZone: (zone) => kept.set(zone) };
  }

  if (record.hostAccess === true)
    await wayIn
      .set(true)
      .catch((error: unknown) =>
        tell("network", `this host does not reach the network: ${toPerchError(error).message}`),
      );
  const wireguard = wireGuardDoor({ home, place, prefix, state, vault, say: (sentence) => tell("network", sentence) });
  // It tries again by itself; nothing else waits for it.
  wireguard
    .refresh()
    .catch((error: unknown) => tell("network", `the WireGuard door is closed: ${toPerchError(error).message}`));

  const claims = () => [
    ...namespace.claims(),
    ...(network?.claims() ?? []),
    ...doors.claims(),
    ...wireguard.claims(),
    ...wayIn.claims(),
    ...wayOut.claims(),
  ];
  const kernel =
    place.mode === "portable"
      ? undefined
      : keepKernel({ place, enterable: () => namespace.tend(), claims, say: (sentence) => tell("network", sentence) });

  const runtime = keepRuntime({ home, say: (sentence) => tell("network", sentence) });
  const silent = async () =>
    (await nameServer?.silent()) === true
      ? [{ thing: "the name server", sentence: "the name server does not answer; it is let go on, or replaced" }]
      : [];

  const runs = async () => (await state.machines.list()).filter((machine) => machine.kind === "run");
  const published = publisher(
    outlet,
    async () => {
      const views = clusters.views();
      return (
        views && {
          prefix,
          apps: await state.apps.list(),
          peers: await state.peers.list(),
          runs: await runs(),
          overrides,
          views,
        }
      );
    },
    log,
  );
  const context: Context = {
    home,
    place,
    prefix,
    state,
    vault,
    log,
    consoles: consoles((app) => clusters.find(app)?.wake()),
    admitted: new Set(),
    older: new Map(),
    flowing: new Set(),
    monitors: monitors((machine) => clusters.member(machine)?.loop.wake()),
    authority: await openAuthority({ home, prefix, state, vault }),
    ...(await machineSize(home.postgres)),
    say: tell,
    complaints: new Map(),
    takenBack: new Map(),
    staying: new Map(),
    going: new Map(),
    overrides,
    publish: () => published.publish(),
  };
  const clusters = clusterLoops((app) => workOf(context, localEngine, app), log);
  const warnings = watchLimits({ home, views: () => clusters.views() ?? [], say: tell });
  const loopDelay = watchLoopDelay();
  await undoHalfMade(context);
  await tellUnfinished(context);
  const left = await leftovers(home);
  for (const cluster of await state.clusters.list()) clusters.open(cluster.app);
  removeLeftovers(left).catch((error: unknown) =>
    log.warn({ err: error }, "what an ended perchd left could not be removed"),
  );
  await ask(() => (clusters.views() === undefined ? undefined : true), { everyMs: 10, withinMs: 10_000 });
  const away = (clusters.views() ?? []).filter((view) => !settled(view)).map((view) => view.cluster.app);
  if (away.length > 0) progress(`bringing back ${away.join(", ")}`);
  await ask(() => (clusters.views()?.every(settled) === true ? true : undefined), {
    everyMs: 20,
    withinMs: broughtBackMs,
  });
  const stopWaking = await wakeOnChange(store, state, (app) => clusters.find(app)?.wake());

  const closeDoors = async () => void (await Promise.all([doors.stop(), wireguard.stop()]));
  let ending: Promise<void> | undefined;
  let ended: () => void = () => undefined;
  const shutdown = (say: (sentence: string) => void) => {
    ending ??= (async () => {
      stopWaking();
      await Promise.all([dialler.stop(), wayOut.stop(), wayIn.set(false)]);
      tidying.stop();
      network?.stop();
      kernel?.stop();
      await remote.close();
      await shutDown(
        { context, clusters, namespace, nameServer, closeRelays: () => relay.closeGone([]), closeDoors, log },
        say,
      );
      setImmediate(ended);
    })();
    // One that failed half-way can be asked for again.
    ending.catch(() => (ending = undefined));
    return ending;
  };
  const remote = await remoteDoor({
    home,
    version,
    state,
    log,
    authority: context.authority,
    oneUser: place.owner === undefined,
    say: (sentence) => tell("network", sentence),
  });
  const deps = {
    home,
    place,
    prefix,
    version,
    since,
    store,
    state,
    vault,
    events,
    clusters,
    context,
    doors: doors.doors,
    wireguard,
    remote,
    publisher: published,
    dialler,
    outward: wayOut,
    hostAccess: wayIn,
    log,
    warnings,
    kernel,
    nameServer,
    broken: () => brokenNow(kernel, silent),
    loopDelay: () => loopDelay.read(),
    shutdown,
  };
  const tidying = keepTidy(deps);
  await tidying.now();
  await published.publish();
  const handlers = handlersOf(deps);
  await remote.serve(handlers);
  const speakAt = (socket: ApiSocket) => tidying.speakAt(() => runtime.tend(socket));
  return {
    handlers,
    upgrade: proxyUpgrade(deps),
    mode: place.mode,
    shutdown,
    onShutdown: (listener) => void (ended = listener),
    speakAt,
  };
}

/** Every member does its part, and the change of leader that a killed perchd was in the middle of is through. */
const settled = (view: ClusterView): boolean => broughtBack(view) && view.cluster.change === undefined;

async function networkRecord(state: State, name: string): Promise<NetworkRecord> {
  const found = await state.network.get({});
  if (found !== undefined) return found;
  const made: NetworkRecord = {
    name,
    prefix: networkPrefix(randomBytes(4).readUInt32BE()),
    nextMachine: 16,
    createdAt: new Date().toISOString(),
  };
  if (!(await state.network.create(made))) throw fail("internal", { why: "the network's record cannot be made" });
  return made;
}

/** A changed record of a cluster, its machines, attachments or logins wakes its loop, whoever changed it. */
async function wakeOnChange(store: Store, state: State, wake: (app: string) => void): Promise<() => void> {
  const { revision } = await store.range("network");
  const stops = await Promise.all([
    state.clusters.watch(revision, (change) => wake(change.type === "put" ? change.record.app : change.of.app)),
    state.attachments.watch(revision, (change) =>
      wake(change.type === "put" ? change.record.cluster : change.of.cluster),
    ),
    state.rotations.watch(revision, (change) => {
      if (change.type === "put") wake(change.record.cluster);
    }),
    state.machines.watch(revision, (change) => {
      if (change.type === "put" && change.record.kind === "postgres") wake(change.record.app);
    }),
  ]);
  return () => stops.forEach((stop) => stop());
}
