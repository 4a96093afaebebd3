import type { WireGuardRecord } from "../model/records.ts";
import type { Vault } from "./vault.ts";

/** No app is called so: what is sealed for the network itself opens as no app's secret. */
const context = "network/wireguard";

export const sealWireGuardKey = (vault: Vault, privateKey: string): string => vault.seal(context, privateKey);
export const openWireGuardKey = (vault: Vault, { sealed }: Pick<WireGuardRecord, "sealed">): string => vault.open(context, sealed);
