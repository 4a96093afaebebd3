import { listBelow, lookBelow } from "../../host/files/below.ts";
import type { Layout } from "./directory.ts";

/**
 * Numbers (OIDs) of the tablespaces that lie outside of a data directory. A replica on the same host would write the
 * very files its leader writes: both have the same path. One that lies within the data directory
 * (allow_in_place_tablespaces) is each server's own.
 */
export async function tablespacesOutside(at: Layout): Promise<string[]> {
  if ((await lookBelow(at.data, "pg_tblspc")) === undefined) return [];
  return (await listBelow(at.data, "pg_tblspc")).filter((entry) => entry.isSymbolicLink()).map(({ name }) => name);
}
