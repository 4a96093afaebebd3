/**
 * Secret values at rest: sealed under a key that lies beside the store in a file of its own, so that a copy of the
 * store alone tells nothing. What is sealed is bound to its context (`app/NAME`) and cannot be moved to another name.
 * Losing the key file loses the secrets.
 */
import { gate } from "../base/gate.ts";
import { fail } from "../errors/error.ts";
import type { SecretKey } from "./secret-key.ts";

export type Sealer = Pick<SecretKey, "seal" | "digest">;

export interface Vault {
  /** Fails with `state_damaged` under another key, in another context, or when it was changed. */
  open(context: string, sealed: string): string;
  /** Sealing goes on in here until the transaction that keeps what was sealed: the key is not changed in between. */
  sealing<T>(work: (sealer: Sealer) => Promise<T>): Promise<T>;
  /** Nobody seals while `change` works; when it has ended well, `next` is the key. */
  exchange(next: SecretKey, change: (now: SecretKey) => Promise<void>): Promise<void>;
}

/** A record that was read before the key was changed is opened within this time. */
const rememberedMs = 60_000;

export function vaultOf(key: SecretKey, path: string): Vault {
  const { pass, alone } = gate();
  let now = key;
  /** Those that open, the likely one first. */
  let known: readonly SecretKey[] = [key];

  return {
    open(context, sealed) {
      for (const one of known) {
        const value = one.open(context, sealed);
        if (value !== undefined) return value;
      }
      throw fail("state_damaged", {
        path,
        why: `secret ${context} was not sealed with this key, or was changed since`,
      });
    },
    sealing: (work) => pass(() => work(now)),
    exchange: (next, change) =>
      alone(async () => {
        const before = now;
        known = [before, next];
        await change(before).catch((error: unknown) => {
          known = [before];
          throw error;
        });
        now = next;
        known = [next, before];
        setTimeout(() => (known = known.filter((one) => one !== before)), rememberedMs).unref();
      }),
  };
}
