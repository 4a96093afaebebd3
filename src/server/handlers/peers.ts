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
import { hostAddress } from "../../network/host-address.ts";
import { superuser } from "../../postgres/instance/hba.ts";
import { endSessionsFrom } from "../../postgres/sql/sessions-from.ts";
import { withSession } from "../../postgres/sql/session.ts";
import { memberOf, passwordsOf } from "../../cluster/context.ts";
import { sealWireGuardKey } from "../../vault/wireguard-key.ts";
import type { Deps } from "../deps.ts";
import type { Handlers } from "../http/http.ts";

type PeerHandlers = Pick<Handlers, "listPeers" | "createPeer" | "removePeer">;

/** Where WireGuard listens where no port is asked for. */
const usualPort = 51_820;

/**
 * WireGuard peers. One change at a time: what a peer is given must be open when it is told, and gone when it failed.
 */
export function peerHandlers(deps: Deps): PeerHandlers {
  const { state, events, publisher, wireguard, prefix, place, vault } = deps;
  const inTurn = serialise();

  /** The network's own end, with a port that is free while nobody knows it yet. Takes the next number. */
  async function ownEnd(asked: number | undefined): Promise<WireGuardRecord> {
    const before = (await state.network.get({}))?.wireguard;
    const open = (await state.peers.list()).length > 0;
    const port = open && before !== undefined ? before.port : await portFor(asked, before?.port);
    const made = before === undefined ? makeKeyPair() : undefined;
    const network = await vault.sealing((sealer) =>
      state.network.update({}, (record) => {
        const own =
          record.wireguard ??
          (made && { publicKey: made.publicKey, sealed: sealWireGuardKey(sealer, made.privateKey), port, nextPeer: 1 });
        return own === undefined ? record : { ...record, wireguard: { ...own, port, nextPeer: own.nextPeer + 1 } };
      }),
    );
    if (network?.wireguard === undefined) throw fail("internal", { why: "the network's record cannot be changed" });
    return network.wireguard;
  }

  async function create(body: {
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
    const host = asked?.host ?? (await hostAddress());
    if (host === undefined) throw fail("endpoint_unknown", {});
    const own = await ownEnd(asked?.port);
    const record: PeerRecord = {
      name,
      publicKey: body.publicKey,
      address: peerAddress(prefix, own.nextPeer - 1),
      ...(region === undefined ? {} : { region: region.code }),
      createdAt: new Date().toISOString(),
    };
    if (!(await state.peers.create(record))) throw fail("peer_exists", { peer: name });
    try {
      await wireguard.refresh();
    } catch (error) {
      await state.peers.remove(record);
      // What went wrong first is thrown below; the next refresh comes by itself.
      await wireguard.refresh().catch(() => undefined);
      throw error;
    }
    await publisher.publish();
    await events.append("network", `peer ${name} may join by WireGuard, as ${record.address}`);
    return {
      ...shape(record),
      network: `${prefix}::/48`,
      resolver: region === undefined ? networkResolver(prefix) : regionResolver(prefix, region),
      endpoint: endpointText({ host, port: asked?.port ?? own.port }),
      networkKey: own.publicKey,
    };
  }

  async function remove(name: string): Promise<void> {
    const record = await state.peers.get({ name });
    if (record === undefined || !(await state.peers.remove(record)))
      throw fail("peer_not_found", { peer: printable(name) });
    await wireguard.refresh();
    await Promise.all([publisher.publish(), endSessions(record.address)]);
    await events.append("network", `peer ${name} is removed; its sessions are ended`);
  }

  /** On every server that answers: a query that runs for whoever is gone would go on to its end. */
  async function endSessions(address: string): Promise<void> {
    for (const { cluster, members } of deps.clusters.views() ?? []) {
      const { perch } = await passwordsOf(deps, cluster.app);
      const running = members.filter(({ facts }) => facts.answers).map(({ record }) => memberOf(deps, cluster, record));
      await Promise.all(
        running.map((member) =>
          withSession(member, { user: superuser, password: perch }, (session) => endSessionsFrom(session, address)),
        ),
      );
    }
  }

  return {
    async listPeers() {
      const [peers, heard] = await Promise.all([state.peers.list(), wireguard.heard()]);
      return peers.map((peer) => {
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
    async createPeer({ body }) {
      if (place.mode === "portable") throw fail("portable_mode", { what: "a WireGuard door" });
      if (place.mode === "user") throw fail("wireguard_needs_root", {});
      return inTurn(() => create(body));
    },
    async removePeer({ params }) {
      await inTurn(() => remove(params.peer));
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
