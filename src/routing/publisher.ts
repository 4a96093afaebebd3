import type { Log } from "../base/log.ts";
import type { ZoneData } from "../dns/zone-data.ts";
import type { NetworkInterface } from "../network/interface.ts";
import type { Relay } from "../network/relay.ts";
import type { ClusterView } from "../cluster/view.ts";
import { addressesOf, relayTargets, resolversOf, routesOf, serversOf, type Shown, zoneOf } from "./table.ts";

/**
 * Where the publication goes: a namespace with its name server, or the relays of portable mode; and the public doors.
 */
export type Outlet = { openDoors(views: readonly ClusterView[]): void } & (
  | {
      kind: "namespace";
      network: Pick<NetworkInterface, "setAddresses" | "setReach" | "setRoutes">;
      setZone(zone: ZoneData): Promise<void>;
    }
  | { kind: "portable"; relay(cluster: string): Promise<Relay>; closeGone(clusters: readonly string[]): Promise<void> }
);

export interface Publisher {
  /**
   * Sets addresses, names and routes as they should be now; resolves when they are. Calls that overlap share one more
   * turn.
   */
  publish(): Promise<void>;
}

/**
 * Gathers and sets the whole. Until every loop has looked once (`gather` gives undefined), nothing is set: a perchd
 * that just started would else take away the routes of servers it has not seen yet.
 */
export function publisher(outlet: Outlet, gather: () => Promise<Shown | undefined>, log: Log): Publisher {
  let lastZone = "";
  /** The turn under way, or the last one. */
  let last: Promise<void> = Promise.resolve();
  /** The one that waits for it: it has not gathered yet, so whoever comes now is served by it. */
  let waiting: Promise<void> | undefined;

  async function turn(): Promise<void> {
    const shown = await gather();
    if (shown === undefined) return;
    await setRest(shown);
    outlet.openDoors(shown.views);
  }

  async function setRest(shown: Shown): Promise<void> {
    if (outlet.kind === "portable") {
      const targets = relayTargets(shown);
      for (const [cluster, port] of targets) (await outlet.relay(cluster)).aim(port);
      await outlet.closeGone([...targets.keys()]);
      return;
    }
    await outlet.network.setAddresses(addressesOf(shown));
    await outlet.network.setReach({ servers: serversOf(shown), resolvers: resolversOf(shown.prefix) });
    await outlet.network.setRoutes(routesOf(shown));
    const zone = zoneOf(shown);
    const text = JSON.stringify(zone);
    if (text === lastZone) return;
    await outlet.setZone(zone);
    lastZone = text;
  }

  const safeTurn = () => turn().catch((error: unknown) => log.error({ err: error }, "the network could not be set"));

  async function next(): Promise<void> {
    await last;
    last = waiting ?? last;
    waiting = undefined;
    await safeTurn();
  }

  return { publish: () => (waiting ??= next()) };
}
