/** What handlers work with. Built once by the daemon; each handler file takes what it names from it. */
import type { RouteInput } from "../api/route.ts";
import type { routes } from "../api/routes.ts";
import type { Log } from "../base/log.ts";
import type { LoopDelay } from "../base/loop-delay.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import type { Warning } from "../capacity/facts.ts";
import type { ClusterLoops } from "../cluster/cluster-loop.ts";
import type { NetworkLoop } from "../reconcile/network/loop.ts";
import type { Context } from "../cluster/context.ts";
import type { DialWay, HostAccessWay, IngressWay, OutwardWay, PeersWay, RunWay } from "../cluster/ways.ts";
import type { Publisher } from "../routing/publisher.ts";
import type { Reports } from "../store/events.ts";
import type { Handlers } from "./http/http.ts";
import type { RemoteDoor } from "./remote/listener.ts";
import type { State } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../vault/vault.ts";

export interface Deps {
  home: Home;
  place: Place;
  /** Three groups, "fdaa:3f9a:12bc". */
  prefix: string;
  version: string;
  since: string;
  store: Store;
  state: State;
  vault: Vault;
  events: Reports;
  clusters: ClusterLoops;
  context: Context;
  /** Public ingresses. */
  ingress: IngressWay;
  /** Makes true what is no cluster's: peers, host access, runs. */
  network: NetworkLoop;
  peers: Pick<PeersWay, "heard">;
  remote: RemoteDoor;
  publisher: Publisher;
  /** Connections into the network. */
  dialler: DialWay;
  /** The way out of it. */
  outward: OutwardWay;
  /** The host's way into it. */
  hostAccess: Pick<HostAccessWay, "state">;
  /** How a command becomes part of it. */
  runs: Pick<RunWay, "enter">;
  /** The address by which others may find this host; undefined: it has no way out. */
  hostAddress(): Promise<string | undefined>;
  /** A question for a name server of the network, asked from inside. */
  dig(
    question: Omit<RouteInput<(typeof routes)["dig"]>["body"], "region"> & { server: string },
  ): ReturnType<Handlers["dig"]>;
  log: Log;
  /** What runs out, as of now. */
  warnings(): Promise<Warning[]>;
  /** What of the network is broken as of now, and is being set right. */
  broken(): Promise<Warning[]>;
  loopDelay(): LoopDelay;
  /** Begins to stop the daemon; resolves when everything of the network is gone. `progress` gets a sentence a step. */
  shutdown(progress: (sentence: string) => void): Promise<void>;
}
