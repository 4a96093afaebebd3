import { serialise } from "../base/serialise.ts";
import { fail, type PerchError, toPerchError } from "../errors/error.ts";
import { CommandError } from "../host/process/command.ts";
import type { Claim } from "../network/kernel/claims.ts";
import type { WireGuardDevice } from "./device.ts";
import type { WireGuardWish } from "./config.ts";

/**
 * The WireGuard door of a network: as the records of its peers say. Without a peer there is none, and nothing listens.
 */
export interface WireGuard {
  /** Sees that its process answers. */
  tend(): Promise<void>;
  /** What the kernel holds for it. */
  claims(): Claim[];
  /** Brings it to what the records say now. */
  refresh(): Promise<void>;
  /** What is known of peers that were heard, by their keys. */
  heard(): Promise<Map<string, Heard>>;
  stop(): Promise<void>;
}

export interface Heard {
  /** Where its packets come from. */
  endpoint: string;
  /** Milliseconds since the epoch. */
  handshake: number;
  received: number;
  sent: number;
}

/**
 * The WireGuard door kept as it is wanted: made when there are peers, made again when it dies, gone when there are
 * none.
 */
export interface WireGuardKeeper {
  /** Brings it to what is wanted now. Rejects when it cannot be so; then it is tried again until it is. */
  refresh(): Promise<void>;
  /** wireguard-go is gone. */
  lost(): void;
  /** Shut for good. */
  stop(): Promise<void>;
}

const againMs = [200, 500, 1_000, 2_000, 5_000];

/** `wanted` is asked for each time; undefined: shut. */
export function keepWireGuard(
  device: WireGuardDevice,
  wanted: () => Promise<WireGuardWish | undefined>,
  say: (sentence: string) => void,
): WireGuardKeeper {
  let stopped = false;
  /** It was lost, and nobody has been told yet that it is there again. */
  let missed = false;
  let attempts = 0;
  let retry: NodeJS.Timeout | undefined;
  const inTurn = serialise();

  async function settle(): Promise<void> {
    clearTimeout(retry);
    try {
      const wish = stopped ? undefined : await wanted();
      if (wish === undefined) await device.remove();
      else await device.set(wish);
      attempts = 0;
      if (missed && wish !== undefined) say("the WireGuard device was gone and is made again");
      missed = false;
    } catch (error) {
      const known = knownOf(error);
      // It says itself why it failed, and tries again.
      if (!stopped) retry = setTimeout(() => void again().catch(() => undefined), againMs[attempts++] ?? 5_000);
      throw known;
    }
  }

  const again = (): Promise<void> => inTurn(settle);

  return {
    refresh: again,
    lost() {
      if (stopped) return;
      missed = true;
      again().catch((error: unknown) => say(`the WireGuard device is gone: ${toPerchError(error).message}`));
    },
    async stop() {
      stopped = true;
      missed = false;
      clearTimeout(retry);
      await again();
    },
  };
}

/** What `ip`, `wg` or `nft` refused, in a sentence of the register. */
function knownOf(error: unknown): PerchError {
  if (!(error instanceof CommandError)) return toPerchError(error);
  return fail("wireguard_failed", { why: error.message }, error);
}
