import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";

/** How big this machine is: what PostgreSQL's defaults are made from. */
export async function machineSize(path: string): Promise<{ memoryBytes: number; diskBytes: number }> {
  const disk = await statfs(path);
  return { memoryBytes: totalmem(), diskBytes: disk.blocks * disk.bsize };
}
