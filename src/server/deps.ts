/** What handlers work with. Built once by the daemon; each handler file takes what it names from it. */
import type { Log } from "../base/log.ts";
import type { LoopDelay } from "../base/loop-delay.ts";
import type { Doors } from "../ingress/ingresses.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import type { Warning } from "../capacity/facts.ts";
import type { Dialler } from "../network/dialler.ts";
import type { HostAccess } from "../network/host-access.ts";
import type { Outward } from "../network/egress.ts";
import type { Clusters } from "../reconcile/clusters.ts";
import type { Context } from "../cluster/context.ts";
import type { WireGuard } from "../wireguard/supervisor.ts";
import type { Publisher } from "../routing/publisher.ts";
import type { Reports } from "../store/events.ts";
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
  clusters: Clusters;
  context: Context;
  doors: Doors;
  wireguard: WireGuard;
  remote: RemoteDoor;
  publisher: Publisher;
  /** Connections into the network. */
  dialler: Dialler;
  /** The way out of it. */
  outward: Outward;
  /** The host's way into it. */
  hostAccess: HostAccess;
  log: Log;
  /** What runs out, as of now. */
  warnings(): Promise<Warning[]>;
  /** What of the network is broken as of now, and is being set right. */
  broken(): Promise<Warning[]>;
  loopDelay(): LoopDelay;
  /** Begins to stop the daemon; resolves when everything of the network is gone. `progress` gets a sentence a step. */
  shutdown(progress: (sentence: string) => void): Promise<void>;
}
