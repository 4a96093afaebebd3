import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import { wireGuardDevice } from "../wireguard/device.ts";
import { keepWireGuard, type WireGuard } from "../wireguard/supervisor.ts";
import type { WireGuardWish } from "../wireguard/config.ts";
import type { State } from "../store/records.ts";
import type { Vault } from "../vault/vault.ts";
import { openWireGuardKey } from "../vault/wireguard-key.ts";

const rememberMs = 10_000;

interface At {
  home: Home;
  place: Place;
  prefix: string;
  state: State;
  vault: Vault;
  say(sentence: string): void;
}

export function wireGuardDoor({ home, place, prefix, state, vault, say }: At): WireGuard {
  const device = wireGuardDevice({ home, place, prefix, onLost: () => keeper.lost() });
  const keeper = keepWireGuard(device, wish, say);

  async function wish(): Promise<WireGuardWish | undefined> {
    const [network, peers] = await Promise.all([state.network.get({}), state.peers.list()]);
    const own = network?.wireguard;
    if (own === undefined || peers.length === 0 || place.mode !== "root") return undefined;
    return {
      port: own.port,
      publicKey: own.publicKey,
      privateKey: openWireGuardKey(vault, own),
      peers: peers.map(({ publicKey, address, endpoint }) => ({
        publicKey,
        address,
        ...(endpoint === undefined ? {} : { endpoint }),
      })),
    };
  }

  /** So that a device made anew, after a death or a restart of this host, can call them. */
  async function remember(): Promise<void> {
    const peers = await state.peers.list();
    if (peers.length === 0 || place.mode !== "root") return;
    const endpoints = await device.show("endpoints");
    for (const peer of peers) {
      const [endpoint] = endpoints?.get(peer.publicKey) ?? [];
      if (endpoint === undefined || endpoint === "(none)" || endpoint === peer.endpoint) continue;
      await state.peers.update(peer, (record) => ({ ...record, endpoint }));
    }
  }
  // Where peers were heard last is tried again at the next turn.
  const remembering = setInterval(() => void remember().catch(() => undefined), rememberMs);

  return {
    refresh: () => keeper.refresh(),
    async tend() {
      const was = await device.tend();
      if (was === "stopped") say("wireguard-go was stopped by a signal and did not answer: it goes on");
      if (was === "hung") say("wireguard-go did not answer: it was ended");
    },
    claims: () => device.claims().map((held) => ({ name: "the WireGuard door", ...held, set: () => keeper.refresh() })),
    async heard() {
      const [handshakes, endpoints, transfers] = await Promise.all([
        device.show("latest-handshakes"),
        device.show("endpoints"),
        device.show("transfer"),
      ]);
      const known = [...(handshakes ?? [])].filter(([, [seconds]]) => Number(seconds) > 0);
      return new Map(
        known.map(([key, [seconds]]) => {
          const [received, sent] = transfers?.get(key) ?? [];
          return [
            key,
            {
              endpoint: endpoints?.get(key)?.[0] ?? "",
              handshake: Number(seconds) * 1000,
              received: Number(received),
              sent: Number(sent),
            },
          ];
        }),
      );
    },
    async stop() {
      clearInterval(remembering);
      // Where peers were heard last is of no use to a device that goes.
      await remember().catch(() => undefined);
      await keeper.stop();
    },
  };
}
