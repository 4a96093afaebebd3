import type { AuthorityRecord } from "../model/records.ts";
import type { Sealer, Vault } from "./vault.ts";

/** Keys of the network's authority at rest. No app is called `network/…`: they open as no app's secret. */
export const authorityContexts = { root: "network/authority", below: "network/authority-below" } as const;
type Which = keyof typeof authorityContexts;

export const sealAuthorityKey = (sealer: Sealer, which: Which, key: string): string =>
  sealer.seal(authorityContexts[which], key);
export const openAuthorityKey = (vault: Vault, record: AuthorityRecord, which: Which): string =>
  vault.open(authorityContexts[which], record[which].sealed);
