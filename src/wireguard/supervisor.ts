import { serialise } from "../base/serialise.ts";
import { fail, type PerchError, toPerchError } from "../errors/error.ts";
import { CommandError } from "../host/process/command.ts";
import type { WireGuardDevice } from "./device.ts";
import type { WireGuardPeer, WireGuardWish } from "./config.ts";

/**
 * The WireGuard device as it was told to be. Without a peer there is none, and nothing listens. When to tell it again
 * is not decided here.
 */
export interface WireGuardKeeper {
  /** Undefined: there is none. Rejects when it cannot be so. */
  set(wish: WireGuardWish | undefined): Promise<void>;
  told(): Told;
  /** What was set last, once more. Public key → where that peer was heard last. */
  again(heard: ReadonlyMap<string, string>): Promise<void>;
  /** wireguard-go is gone. */
  lost(): void;
  /** Shut for good. */
  stop(): Promise<void>;
}

export type Told =
  /** Nothing, or it failed: whatever is there, may be. */
  | { state: "unknown" }
  | { state: "closed" }
  /** It was open, and its process is gone. */
  | { state: "lost" }
  | ({ state: "open" } & WireGuardWish);

/** `onLost`: something must be done about it. */
export function keepWireGuard(
  device: WireGuardDevice,
  say: (sentence: string) => void,
  onLost: () => void,
): WireGuardKeeper {
  let stopped = false;
  /** It was lost, and nothing has been said yet of its being there again. */
  let missed = false;
  let told: Told = { state: "unknown" };
  const inTurn = serialise();

  async function set(wish: WireGuardWish | undefined): Promise<void> {
    if (stopped) return;
    told = { state: "unknown" };
    try {
      if (wish === undefined) await device.remove();
      else await device.set(wish);
    } catch (error) {
      throw knownOf(error);
    }
    if (missed && wish !== undefined) say("the WireGuard device was gone and is made again");
    missed = false;
    told = wish === undefined ? { state: "closed" } : { state: "open", ...wish };
  }

  return {
    set: (wish) => inTurn(() => set(wish)),
    told: () => told,
    again: (heard) =>
      inTurn(async () => {
        if (told.state !== "open") return;
        const { state: _open, ...wish } = told;
        await set({ ...wish, peers: wish.peers.map((peer) => calledAt(peer, heard.get(peer.publicKey))) });
      }),
    lost() {
      if (stopped) return;
      missed = true;
      told = { state: "lost" };
      onLost();
    },
    async stop() {
      stopped = true;
      await inTurn(() => device.remove());
    },
  };
}

const calledAt = (peer: WireGuardPeer, endpoint: string | undefined): WireGuardPeer =>
  endpoint === undefined ? peer : { ...peer, endpoint };

/** What `ip`, `wg` or `nft` refused, in a sentence of the register. */
function knownOf(error: unknown): PerchError {
  if (!(error instanceof CommandError)) return toPerchError(error);
  return fail("wireguard_failed", { why: error.message }, error);
}
