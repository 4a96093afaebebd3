import { serialise } from "../../base/serialise.ts";
import type * as api from "../../api/schemas.ts";
import { makeKeyPair } from "../../base/x25519.ts";
import { fail } from "../../errors/error.ts";
import { boundUdpPorts, freeUdpPort } from "../../host/sockets/ports.ts";
import { networkResolver, peerAddress, regionResolver } from "../../model/address.ts";
import { endpointText, parseEndpoint } from "../../model/endpoint.ts";
import { checkAppName, checkRegion, printable } from "../../model/name.ts";
import type { PeerRecord, WireGuardRecord } from "../../model/records.ts";
import { findRegion } from "../../model/region.ts";
import { doorKey, peerKey, peersIn } from "../../reconcile/network/peers/plan.ts";
import { sealWireGuardKey } from "../../vault/wireguard-key.ts";
import type { Deps } from "../deps.ts";
import type { Call } from "../http/call.ts";
import type { Handlers } from "../http/http.ts";
import { settle } from "../wait.ts";

type PeerHandlers = Pick<Handlers, "listPeers" | "createPeer" | "removePeer">;

/** Where WireGuard listens where no port is asked for. */
const usualPort = 51_820;

/** WireGuard peers: what a peer is given is open when it is told, and gone when that failed. */
export function peerHandlers(deps: Deps): PeerHandlers {
  const { state, events, network, prefix, place, vault } = deps;
  /** Names, numbers and the port are taken by one after the other. */
  const inTurn = serialise();

  /** The network's own end, with a port that is free while nobody knows it yet. Takes the next number. */
  async function ownEnd(asked: number | undefined): Promise<WireGuardRecord> {
    const before = (await state.network.get({}))?.wireguard;
    const open = (await state.peers.list()).length > 0;
    const port = open && before !== undefined ? before.port : await portFor(asked, before?.port);
    const made = before === undefined ? makeKeyPair() : undefined;
    const changed = await vault.sealing((sealer) =>
      state.network.update({}, (record) => {
        const own =
          record.wireguard ??
          (made && { publicKey: made.publicKey, sealed: sealWireGuardKey(sealer, made.privateKey), port, nextPeer: 1 });
        return own === undefined ? record : { ...record, wireguard: { ...own, port, nextPeer: own.nextPeer + 1 } };
      }),
    );
    if (changed?.wireguard === undefined) throw fail("internal", { why: "the network's record cannot be changed" });
    return changed.wireguard;
  }

  /** The record is the wish; what the peer needs to know goes with it. */
  async function write(body: {
    name: string;
    publicKey: string;
    region?: string | undefined;
    endpoint?: string | undefined;
  }) {
    const name = checkAppName(body.name, "peer name");
    const region = body.region === undefined ? undefined : findRegion(checkRegion(body.region));
    const asked = body.endpoint === undefined ? undefined : parseEndpoint(body.endpoint);
    const twin = (await state.peers.list()).find((peer) => peer.name === name || peer.publicKey === body.publicKey);
    if (twin !== undefined) throw fail("peer_exists", { peer: twin.name });
    const host = asked?.host ?? (await deps.hostAddress());
    if (host === undefined) throw fail("endpoint_unknown", {});
    const own = await ownEnd(asked?.port);
    const record: PeerRecord = {
      name,
      publicKey: body.publicKey,
      address: peerAddress(prefix, own.nextPeer - 1),
      ...(region === undefined ? {} : { region: region.code }),
      phase: "creating",
      createdAt: new Date().toISOString(),
    };
    if (!(await state.peers.create(record))) throw fail("peer_exists", { peer: name });
    return {
      record,
      answer: {
        ...shape(record),
        network: `${prefix}::/48`,
        resolver: region === undefined ? networkResolver(prefix) : regionResolver(prefix, region),
        endpoint: endpointText({ host, port: asked?.port ?? own.port }),
        networkKey: own.publicKey,
      },
    };
  }

  async function admitted({ name, publicKey }: PeerRecord, call: Call): Promise<void> {
    const mine = (view: Parameters<typeof peersIn>[0]) =>
      peersIn(view)?.peers.find((peer) => peer.name === name && peer.publicKey === publicKey);
    await settle(network, call, {
      what: `letting peer ${name} join`,
      things: [doorKey, peerKey(name)],
      done: (view) => {
        const peer = mine(view);
        return peer !== undefined && peer.phase === undefined ? true : undefined;
      },
      undone: (view) => mine(view) === undefined,
      cancel: () => shutOut({ name }),
    });
  }

  const shutOut = async (of: Pick<PeerRecord, "name">): Promise<void> =>
    void (await state.peers.update(of, (record) => ({ ...record, phase: "destroying" })));

  async function remove(name: string, call: Call): Promise<void> {
    const record = await state.peers.get({ name });
    if (record === undefined) throw fail("peer_not_found", { peer: printable(name) });
    await shutOut(record);
    network.retry();
    await settle(network, call, {
      what: `removing peer ${name}`,
      things: [doorKey, peerKey(name)],
      done: (view) => (peersIn(view)?.peers.every((peer) => peer.name !== name) === true ? true : undefined),
    });
    await events.append("network", `peer ${name} is removed; its sessions are ended`);
  }

  return {
    async listPeers() {
      const [peers, heard] = await Promise.all([state.peers.list(), deps.peers.heard()]);
      return peers
        .filter(({ phase }) => phase !== "destroying")
        .map((peer) => {
          const last = heard.get(peer.publicKey);
          const seen = last && {
            from: last.endpoint,
            handshake: new Date(last.handshake).toISOString(),
            received: last.received,
            sent: last.sent,
          };
          return { ...shape(peer), ...(seen ?? { from: null, handshake: null, received: 0, sent: 0 }) };
        });
    },
    async createPeer({ body }, call) {
      if (place.mode === "portable") throw fail("portable_mode", { what: "a WireGuard door" });
      if (place.mode === "user") throw fail("wireguard_needs_root", {});
      const { record, answer } = await inTurn(() => write(body));
      await admitted(record, call);
      await events.append("network", `peer ${record.name} may join by WireGuard, as ${record.address}`);
      return answer;
    },
    async removePeer({ params }, call) {
      await remove(params.peer, call);
      return {};
    },
  };
}

async function portFor(asked: number | undefined, before: number | undefined): Promise<number> {
  const bound = await boundUdpPorts();
  if (asked !== undefined && bound.has(asked))
    throw fail("listen_refused", { listen: `UDP port ${asked}`, why: "another program listens on that port" });
  return asked ?? [before, usualPort].find((port) => port !== undefined && !bound.has(port)) ?? (await freeUdpPort());
}

const shape = ({
  name,
  publicKey,
  address,
  region,
  createdAt,
}: PeerRecord): Omit<api.Peer, "from" | "handshake" | "received" | "sent"> => ({
  name,
  region: region ?? null,
  address,
  publicKey,
  createdAt,
});
