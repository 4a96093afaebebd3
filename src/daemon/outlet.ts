import type { Log } from "../base/log.ts";
import type { Context } from "../cluster/context.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import { networkInterface, type NetworkInterface } from "../network/interface.ts";
import { writeServerNames } from "../network/server-names.ts";
import type { Outlet } from "../routing/publisher.ts";
import { resolversOf, zoneOf } from "../routing/table.ts";
import type { State } from "../store/records.ts";
import { keepNameServer, type NameServer } from "./name-server.ts";
import type { Tell } from "./open-state.ts";
import { relays } from "./relays.ts";

interface At {
  home: Home;
  place: Place;
  prefix: string;
  version: string;
  state: State;
  overrides: Context["overrides"];
  fresh: boolean;
  log: Log;
  tell: Tell;
  openDoors: Outlet["openDoors"];
}

/** Where names and connections are set: a namespace with its name server, or the relays of portable mode. */
export interface OpenOutlet {
  outlet: Outlet;
  network?: NetworkInterface;
  nameServer?: NameServer;
  closeRelays(): Promise<void>;
}

export const openOutlet = (at: At): Promise<OpenOutlet> =>
  at.place.mode === "portable" ? Promise.resolve(portableOutlet(at)) : namespaceOutlet(at);

function portableOutlet({ state, openDoors }: At): OpenOutlet {
  const relay = relays(state);
  return {
    outlet: {
      kind: "portable",
      openDoors,
      relay: (cluster) => relay.relay(cluster),
      closeGone: (clusters) => relay.closeGone(clusters),
    },
    closeRelays: () => relay.closeGone([]),
  };
}

/** With the addresses that the records tell, so that what runs keeps its own until every cluster was looked at. */
async function namespaceOutlet(at: At): Promise<OpenOutlet> {
  const { home, place, prefix, state, overrides, openDoors } = at;
  await writeServerNames(home, prefix);
  const network = networkInterface(place, prefix);
  const pools = (await state.clusters.list()).flatMap(({ pool }) => pool ?? []);
  const machines = await state.machines.list();
  const addresses = (present: readonly { address: string }[]) => present.map(({ address }) => address);
  await network.setAddresses([...resolversOf(prefix), ...addresses([...machines, ...pools])]);
  const servers = addresses([...machines.filter(({ kind }) => kind === "postgres"), ...pools]);
  await network.setReach({ servers, resolvers: resolversOf(prefix) });
  const nameServer = await keepNameServer({
    control: `${home.runtime}/dns.sock`,
    version: at.version,
    enter: () => place.tool([]),
    zone: zoneOf({
      prefix,
      apps: await state.apps.list(),
      peers: await namedPeers(state),
      runs: [],
      overrides,
      views: [],
    }),
    fresh: at.fresh,
    log: at.log,
    say: (sentence) => at.tell("network", sentence),
  });
  const outlet: Outlet = { kind: "namespace", openDoors, network, setZone: (zone) => nameServer.set(zone) };
  return { outlet, network, nameServer, closeRelays: () => Promise.resolve() };
}

/** One that is still being let in, or is being removed, has no name. */
export const namedPeers = async (state: State) => (await state.peers.list()).filter(({ phase }) => phase === undefined);
