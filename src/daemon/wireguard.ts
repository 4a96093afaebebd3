import type { Heard, PeersWay } from "../cluster/ways.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import type { Claim } from "../network/kernel/claims.ts";
import { wireGuardDevice } from "../wireguard/device.ts";
import { keepWireGuard } from "../wireguard/supervisor.ts";
import type { State } from "../store/records.ts";

const rememberMs = 10_000;

interface At {
  home: Home;
  place: Place;
  prefix: string;
  state: State;
  say(sentence: string): void;
  /** Its process has died. */
  onLost(): void;
}

/** The WireGuard door of a network, which the network's loop sets. */
export interface WireGuardDoor extends PeersWay {
  /** Sees that its process answers. */
  tend(): Promise<void>;
  /** What the kernel holds for it. */
  claims(): Claim[];
  stop(): Promise<void>;
}

export function wireGuardDoor({ home, place, prefix, state, say, onLost }: At): WireGuardDoor {
  const device = wireGuardDevice({ home, place, prefix, onLost: () => keeper.lost() });
  const keeper = keepWireGuard(device, say, onLost);

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

  async function again(): Promise<void> {
    const peers = await state.peers.list();
    await keeper.again(
      new Map(peers.flatMap(({ publicKey, endpoint }) => (endpoint === undefined ? [] : [[publicKey, endpoint]]))),
    );
  }

  return {
    set: (wish) => keeper.set(wish),
    told: () => keeper.told(),
    async tend() {
      const was = await device.tend();
      if (was === "stopped") say("wireguard-go was stopped by a signal and did not answer: it goes on");
      if (was === "hung") say("wireguard-go did not answer: it was ended");
    },
    claims: () => device.claims().map((held) => ({ name: "the WireGuard door", ...held, set: again })),
    async heard() {
      const [handshakes, endpoints, transfers] = await Promise.all([
        device.show("latest-handshakes"),
        device.show("endpoints"),
        device.show("transfer"),
      ]);
      const known = [...(handshakes ?? [])].filter(([, [seconds]]) => Number(seconds) > 0);
      return new Map(
        known.map(([key, [seconds]]): [string, Heard] => {
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
