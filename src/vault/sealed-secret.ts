import type { SecretRecord } from "../model/records.ts";
import { secretContext } from "./sealed.ts";
import type { Sealer, Vault } from "./vault.ts";

/** A secret as it is kept: sealed for this app and name, with the digest that shows in lists. */
export const sealedSecret = (sealer: Sealer, app: string, name: string, value: string): SecretRecord => ({
  app,
  name,
  sealed: sealer.seal(secretContext({ app, name }), value),
  digest: sealer.digest(secretContext({ app, name }), value),
  updatedAt: new Date().toISOString(),
});

export const openSecret = (vault: Vault, secret: SecretRecord): string =>
  vault.open(secretContext(secret), secret.sealed);
