import { within } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { consoles } from "../cluster/consoles.ts";
import type { Context } from "../cluster/context.ts";
import { monitors } from "../cluster/monitor.ts";
import { localEngine } from "../engine/local/engine.ts";
import type { Home } from "../host/system/home.ts";
import { machineSize } from "../host/system/machine.ts";
import { leftovers, removeLeftovers } from "../postgres/instance/leftovers.ts";
import { type Clusters, clusterLoops } from "../reconcile/clusters.ts";
import { networkConcerns } from "../reconcile/network/concerns.ts";
import { type NetworkLoop, startNetworkLoop } from "../reconcile/network/loop.ts";
import { type Publisher, publisher } from "../routing/publisher.ts";
import type { Store } from "../store/store.ts";
import { openAuthority } from "./authority.ts";
import { bringBack, broughtBackMs } from "./bring-back.ts";
import type { OpenNetwork } from "./open-network.ts";
import type { Kept } from "./open-state.ts";
import { namedPeers } from "./outlet.ts";
import { wakeOnChange } from "./wake-on-change.ts";
import { tellUnfinished, undoHalfMade, workOf } from "./work.ts";

interface Options {
  home: Home;
  store: Store;
  log: Log;
  overrides: Context["overrides"];
  progress(sentence: string): void;
}

/** What makes wishes true. */
export interface Loops {
  context: Context;
  clusters: Clusters;
  network: NetworkLoop;
  published: Publisher;
  /** Every cluster is at work, or takes long to be; from now on changed records wake the loops. */
  atWork(): Promise<void>;
  /** Nothing is woken or begun for the network any more; the clusters' loops go on. */
  stopWaking(): Promise<void>;
}

export async function startLoops(options: Options, kept: Kept, open: OpenNetwork): Promise<Loops> {
  const { home, store, log, overrides, progress } = options;
  const { state, vault, network: record, tell } = kept;
  const { prefix } = record;
  const published = publisher(
    open.outlet,
    async () => {
      const views = clusters.views();
      return (
        views && {
          prefix,
          apps: await state.apps.list(),
          peers: await namedPeers(state),
          runs: (await state.machines.list()).filter((machine) => machine.kind === "run"),
          overrides,
          views,
        }
      );
    },
    log,
  );
  const context: Context = {
    home,
    place: open.namespace.place,
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
    ingress: open.ingress,
    publish: () => published.publish(),
  };
  const clusters = clusterLoops((app) => workOf(context, localEngine, app), log);
  await undoHalfMade(context);
  await tellUnfinished(context);
  const left = await leftovers(home);
  for (const cluster of await state.clusters.list()) clusters.open(cluster.app);
  removeLeftovers(left).catch((error: unknown) =>
    log.warn({ err: error }, "what an ended perchd left could not be removed"),
  );
  const network = startNetworkLoop(
    {
      ...context,
      hostAccess: open.hostAccess,
      peers: open.wireguard,
      runs: open.runs,
      views: () => clusters.views(),
    },
    networkConcerns(),
  );
  let unwatch: () => void = () => undefined;
  return {
    context,
    clusters,
    network,
    published,
    async atWork() {
      await bringBack(clusters, progress);
      unwatch = await wakeOnChange(store, state, {
        cluster: (app) => clusters.find(app)?.wake(),
        network: () => network.wake(),
      });
      await within(broughtBackMs, network.atRest());
    },
    async stopWaking() {
      unwatch();
      await network.stop();
    },
  };
}
