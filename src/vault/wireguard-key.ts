import type { WireGuardRecord } from "../model/records.ts";
import type { Sealer, Vault } from "./vault.ts";

/** No app is called so: what is sealed for the network itself opens as no app's secret. */
export const wireGuardContext = "network/wireguard";

export const sealWireGuardKey = (sealer: Sealer, privateKey: string): string =>
  sealer.seal(wireGuardContext, privateKey);
export const openWireGuardKey = (vault: Vault, { sealed }: Pick<WireGuardRecord, "sealed">): string =>
  vault.open(wireGuardContext, sealed);
