import { readdir, stat, statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import { kernelText } from "../files/kernel-text.ts";

/** How big this host is: what PostgreSQL's defaults are made from. */
export async function machineSize(path: string): Promise<{ memoryBytes: number; diskBytes: number }> {
  const disk = await statfs(path);
  return { memoryBytes: totalmem(), diskBytes: disk.blocks * disk.bsize };
}

export interface DiskRoom {
  path: string;
  /** What an ordinary user may still fill, and all of it. */
  freeBytes: number;
  bytes: number;
  /** Files that there may be; 0 where the file system makes room for them as it goes. */
  inodes: number;
  freeInodes: number;
}

/** The room on the disk that holds a path. */
export async function diskRoom(path: string): Promise<DiskRoom> {
  const disk = await statfs(path);
  return {
    path,
    freeBytes: disk.bavail * disk.bsize,
    bytes: disk.blocks * disk.bsize,
    inodes: disk.files,
    freeInodes: disk.ffree,
  };
}

/** PostgreSQL cannot write a page or a WAL segment of less. */
export const isFull = ({ freeBytes }: DiskRoom): boolean => freeBytes < 64 * 1024;

/**
 * What a program said before it ended, with the cause that it could not write down: a full disk takes the last words,
 * too. `path`: where it writes.
 */
export async function lastWordsAt(path: string, words: string): Promise<string> {
  // Where the room cannot be told the words stay as they are.
  const room = await diskRoom(path).catch(() => undefined);
  const full = room !== undefined && isFull(room) && !words.includes("No space left on device");
  return (
    [words, full ? `the disk under ${path} is full` : ""].filter((part) => part !== "").join("; ") || "it said nothing"
  );
}

/** The number of the disk a path is on; undefined when there is no such path. */
export const diskOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ dev }) => dev,
    () => undefined,
  );

export interface Files {
  open: number;
  max: number;
}

/** Open files of this process; undefined where the system does not tell. */
export async function ownFiles(): Promise<Files | undefined> {
  // Where there is no /proc the number is not known.
  const open = await readdir("/proc/self/fd").catch(() => undefined);
  const max = /^Max open files\s+(\d+)/m.exec(quietly("/proc/self/limits"))?.[1];
  return open === undefined || max === undefined ? undefined : { open: open.length, max: Number(max) };
}

/** Open files of the whole machine. */
export function allFiles(): Promise<Files | undefined> {
  const [open, , max] = quietly("/proc/sys/fs/file-nr").trim().split(/\s+/).map(Number);
  return Promise.resolve(open === undefined || max === undefined || max === 0 ? undefined : { open, max });
}

export interface MemoryRoom {
  bytes: number;
  /** What can be had without pushing anybody out. */
  availableBytes: number;
  /** Which of them leaves less. */
  of: "this host" | "its control group";
}

/** Memory of this host, or of the control group this process is in; undefined where the system does not tell. */
export const memoryRoom = (at = { proc: "/proc", groups: "/sys/fs/cgroup" }): Promise<MemoryRoom | undefined> =>
  Promise.resolve(roomNow(at));

function roomNow(at: { proc: string; groups: string }): MemoryRoom | undefined {
  const text = quietly(join(at.proc, "meminfo"));
  const kilobytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? Number.NaN) * 1024;
  const [bytes, availableBytes] = [kilobytes("MemTotal"), kilobytes("MemAvailable")];
  if (Number.isNaN(bytes + availableBytes)) return undefined;
  const machine: MemoryRoom = { bytes, availableBytes, of: "this host" };
  const groups = groupRooms(quietly(join(at.proc, "self/cgroup")), at.groups);
  return [machine, ...groups.filter((group) => group.bytes < bytes)].toSorted(
    (a, b) => a.availableBytes / a.bytes - b.availableBytes / b.bytes,
  )[0];
}

/** A group and all above it may have limits: those of version 2 (`0::/path`) and of version 1 (`5:memory:/path`). */
function groupRooms(text: string, root: string): MemoryRoom[] {
  const found: MemoryRoom[] = [];
  for (const [, controllers, path = "/"] of text.matchAll(/^\d+:([^:]*):(.*)$/gm)) {
    const old = controllers?.split(",").includes("memory") === true;
    if (controllers !== "" && !old) continue;
    const parts = path.split("/").filter((part) => part !== "");
    for (let depth = parts.length; depth >= 0; depth--) {
      const group = join(root, ...(old ? ["memory"] : []), ...parts.slice(0, depth));
      const room = groupRoom(group, old);
      if (room !== undefined) found.push(room);
    }
  }
  return found;
}

function groupRoom(group: string, old: boolean): MemoryRoom | undefined {
  const [limit, usage] = old ? ["memory.limit_in_bytes", "memory.usage_in_bytes"] : ["memory.max", "memory.current"];
  const [max, used, detail] = [limit, usage, "memory.stat"].map((file) => quietly(join(group, file)));
  const bytes = Number.parseInt(max ?? "", 10);
  const taken = Number.parseInt(used ?? "", 10);
  if (Number.isNaN(bytes) || Number.isNaN(taken)) return undefined;
  // Pages of files that nobody used lately are given back when they are asked for.
  const spare = Number(new RegExp(`^${old ? "total_" : ""}inactive_file (\\d+)`, "m").exec(detail ?? "")?.[1] ?? 0);
  return { bytes, availableBytes: Math.max(0, bytes - taken + spare), of: "its control group" };
}

/** Huge pages that the system keeps, of a size in kilobytes, or of the usual one (0). */
export const hugePages = (
  kilobytes: number,
  at = { proc: "/proc", sizes: "/sys/kernel/mm/hugepages" },
): Promise<number> => Promise.resolve(pagesNow(kilobytes, at));

function pagesNow(kilobytes: number, at: { proc: string; sizes: string }): number {
  if (kilobytes > 0) return Number(quietly(join(at.sizes, `hugepages-${kilobytes}kB`, "nr_hugepages")));
  return Number(/^HugePages_Total:\s+(\d+)$/m.exec(quietly(join(at.proc, "meminfo")))?.[1] ?? 0);
}

const quietly = (path: string): string => kernelText(path) ?? "";
