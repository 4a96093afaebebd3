import { statfs } from "node:fs/promises";
import { totalmem } from "node:os";

/** How big this machine is: what PostgreSQL's defaults are made from. */
export async function machineSize(path: string): Promise<{ memoryBytes: number; diskBytes: number }> {
  const disk = await statfs(path);
  return { memoryBytes: totalmem(), diskBytes: disk.blocks * disk.bsize };
}

/** The room on the disk that holds a path: what an ordinary user may still fill, and all of it. */
export async function diskRoom(path: string): Promise<{ path: string; freeBytes: number; bytes: number }> {
  const disk = await statfs(path);
  return { path, freeBytes: disk.bavail * disk.bsize, bytes: disk.blocks * disk.bsize };
}
