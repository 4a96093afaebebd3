import type { Log } from "../base/log.ts";
import { watchLoopDelay } from "../base/loop-delay.ts";
import type { Context } from "../cluster/context.ts";
import type { Home } from "../host/system/home.ts";
import { hostAddress } from "../network/host-address.ts";
import { handlersOf } from "../server/handlers/handlers.ts";
import type { Handlers, HttpOptions } from "../server/http/http.ts";
import { proxyUpgrade } from "../server/http/proxy.ts";
import type { Store } from "../store/store.ts";
import type { ApiSocket } from "./api-socket.ts";
import { watchLimits } from "./limits.ts";
import { startLoops } from "./loops.ts";
import { openNetwork } from "./open-network.ts";
import { openState } from "./open-state.ts";
import { remoteDoor } from "./remote-door.ts";
import { keepRuntime } from "./runtime.ts";
import { shutDown } from "./shutdown.ts";
import { keepTidy } from "./tidy.ts";

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

/**
 * Brings the network up: what is kept, where it is, the loops that make it so, and the API, in this order. What runs
 * already is adopted, what is missing is made. Resolves when every cluster is at work, or takes long to be.
 */
export async function startNetwork(options: StartOptions): Promise<Network> {
  const { home, store, log, version } = options;
  const since = new Date().toISOString();
  const kept = await openState(options);
  const { state, tell } = kept;
  const say = (sentence: string) => tell("network", sentence);
  const overrides: Context["overrides"] = new Map();
  /** Until its loop is there, nothing of the network waits for it. */
  const lost = { wake: (): void => undefined };
  const open = await openNetwork({ ...options, overrides, onLost: () => lost.wake() }, kept);
  const { place } = open.namespace;
  const runtime = keepRuntime({ home, say });
  const loops = await startLoops({ ...options, overrides }, kept, open);
  const { context, clusters, network, published } = loops;
  lost.wake = () => network.wake();
  const warnings = watchLimits({ home, views: () => clusters.views() ?? [], say: tell });
  const loopDelay = watchLoopDelay();
  await loops.atWork();
  const remote = await remoteDoor({
    home,
    version,
    state,
    log,
    authority: context.authority,
    oneUser: place.owner === undefined,
    say,
  });

  let ended: () => void = () => undefined;
  const shutdown = once(async (progress: (sentence: string) => void) => {
    await loops.stopWaking();
    await Promise.all([open.dialler.stop(), open.outward.stop(), open.hostAccess.set(false)]);
    tidying.stop();
    open.network?.stop();
    open.kernel?.stop();
    await remote.close();
    await shutDown({ context, clusters, open, log }, progress);
    setImmediate(ended);
  });
  const deps = {
    home,
    place,
    prefix: kept.network.prefix,
    version,
    since,
    store,
    state,
    vault: kept.vault,
    events: kept.events,
    clusters,
    context,
    ingress: open.ingress,
    network,
    peers: open.wireguard,
    remote,
    publisher: published,
    dialler: open.dialler,
    outward: open.outward,
    hostAccess: open.hostAccess,
    runs: open.runs,
    hostAddress,
    dig: open.dig,
    log,
    warnings,
    broken: () => open.broken(network.troubles),
    loopDelay: () => loopDelay.read(),
    shutdown,
  };
  const tidying = keepTidy(deps, open, remote);
  await tidying.now();
  await published.publish();
  const handlers = handlersOf(deps);
  await remote.serve(handlers);
  return {
    handlers,
    upgrade: proxyUpgrade(deps),
    mode: place.mode,
    shutdown,
    onShutdown: (listener) => void (ended = listener),
    speakAt: (socket) => tidying.speakAt(() => runtime.tend(socket)),
  };
}

/** One that failed half-way can be asked for again. */
function once<A>(work: (of: A) => Promise<void>): (of: A) => Promise<void> {
  let under: Promise<void> | undefined;
  return (of) => {
    under ??= work(of);
    // Its caller hears of it.
    under.catch(() => (under = undefined));
    return under;
  };
}
