import type { SecretRecord } from "../model/records.ts";
import type { Vault } from "./vault.ts";

/** A secret as it is kept: sealed for this app and name, with the digest that shows in lists. */
export const sealedSecret = (vault: Vault, app: string, name: string, value: string): SecretRecord => ({
  app,
  name,
  sealed: vault.seal(`${app}/${name}`, value),
  digest: vault.digest(`${app}/${name}`, value),
  updatedAt: new Date().toISOString(),
});

export const openSecret = (vault: Vault, secret: SecretRecord): string => vault.open(`${secret.app}/${secret.name}`, secret.sealed);
