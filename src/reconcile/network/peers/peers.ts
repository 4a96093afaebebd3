import { memberOf, passwordsOf } from "../../../cluster/context.ts";
import type { PeersWish } from "../../../cluster/ways.ts";
import { superuser } from "../../../postgres/instance/hba.ts";
import { withSession } from "../../../postgres/sql/session.ts";
import { endSessionsFrom } from "../../../postgres/sql/sessions-from.ts";
import { openWireGuardKey } from "../../../vault/wireguard-key.ts";
import { type NetworkConcern, networkConcernOf, type NetworkContext } from "../concern.ts";
import { admitted, forPeers, type PeerFacts, type PeerStep } from "./plan.ts";

/** Those who may join by WireGuard: the device, and a record each. */
const peers: NetworkConcern<PeerStep, PeerFacts> = {
  name: "peers",
  async observe({ state, peers: way, views }) {
    return { peers: await state.peers.list(), told: way.told(), clustersKnown: views() !== undefined };
  },
  plan: forPeers,
  async apply({ what, peer }, context) {
    const { state, publish } = context;
    if (peer === undefined) return context.peers.set(what === "close" ? undefined : await wishOf(context));
    if (what === "remove") {
      await endSessions(context, peer.address);
      await state.peers.remove(peer);
    } else await state.peers.update(peer, ({ phase: _creating, ...record }) => record);
    await publish();
  },
  /** The device could not be set: peers that were just asked for do not come in, and it is set without them. */
  async undo({ peer }, { state, say }, why) {
    if (peer !== undefined) return false;
    const half = (await state.peers.list()).filter(({ phase }) => phase === "creating");
    for (const one of half) {
      await state.peers.remove(one);
      say("network", `peer ${one.name} may not join: ${why.message}; that is taken back`);
    }
    return half.length > 0;
  },
};
export const peersConcern = networkConcernOf(peers);

/** Undefined where there is nobody to let in. */
async function wishOf({ state, vault, place }: NetworkContext): Promise<PeersWish | undefined> {
  const [network, all] = await Promise.all([state.network.get({}), state.peers.list()]);
  const [own, wanted] = [network?.wireguard, admitted(all)];
  if (own === undefined || wanted.length === 0 || place.mode !== "root") return undefined;
  return {
    port: own.port,
    publicKey: own.publicKey,
    privateKey: openWireGuardKey(vault, own),
    peers: wanted.map(({ publicKey, address, endpoint }) => ({
      publicKey,
      address,
      ...(endpoint === undefined ? {} : { endpoint }),
    })),
  };
}

/** On every server that answers: a query that runs for a peer that is gone would go on to its end. */
async function endSessions(context: NetworkContext, address: string): Promise<void> {
  for (const { cluster, members } of context.views() ?? []) {
    const { perch } = await passwordsOf(context, cluster.app);
    const running = members
      .filter(({ facts }) => facts.answers)
      .map(({ record }) => memberOf(context, cluster, record));
    await Promise.all(
      running.map((member) =>
        withSession(member, { user: superuser, password: perch }, (session) => endSessionsFrom(session, address)),
      ),
    );
  }
}
