import { readFileSync } from "node:fs";
import type { Place } from "./place.ts";

const nobody = 65_534;

/** What the kernel says of this process; the C library's word is not enough. */
export interface Rights {
  /** Real, effective, saved and of files. */
  uids: readonly number[];
  gids: readonly number[];
  groups: readonly number[];
  /** Whether root in here is root of the machine. */
  machine: boolean;
  /** The permitted capabilities. */
  capabilities: bigint;
}

/**
 * argv that starts a program which becomes nobody: with the rights for that, and no others. An ordinary user's program
 * has nobody to become.
 */
export const fewRights = (mode: Place["mode"]): string[] => [
  "setpriv",
  "--no-new-privs",
  "--inh-caps=-all",
  `--bounding-set=-all${mode === "root" ? ",+setuid,+setgid" : ""}`,
  "--",
];

/**
 * Becomes nobody, for good, before the first stranger is heard. Throws where any right is left: a process that could
 * not give it up must end. As root of an ordinary user's namespace there is nobody else to become, and that root is no
 * more than the user.
 */
export function giveUpRights(): void {
  if (process.getuid?.() !== 0) return;
  const machine = process.platform !== "linux" || rightsNow().machine;
  if (!machine) return;
  process.setgroups?.([]);
  process.setgid?.(nobody);
  process.setuid?.(nobody);
  const left = process.platform === "linux" ? leftOver(rightsNow()) : leftByTrying();
  if (left !== undefined) throw new Error(`it could not give up its rights: ${left}`);
}

/** Which right is left; undefined where none is. Pure. */
export function leftOver({ uids, gids, groups, capabilities }: Rights): string | undefined {
  if (uids.some((uid) => uid !== nobody)) return `its users are ${uids.join(", ")}`;
  if (gids.some((gid) => gid !== nobody)) return `its groups are ${gids.join(", ")}`;
  if (groups.some((gid) => gid !== nobody)) return `it is in the groups ${groups.join(", ")}`;
  return capabilities === 0n ? undefined : `it has the capabilities ${capabilities.toString(16)}`;
}

/** From the texts of /proc/self/status and /proc/self/uid_map. Pure. */
export function rightsIn(status: string, uidMap: string): Rights {
  const words = (name: string) =>
    new RegExp(`^${name}:[\t ]*(.*)$`, "m")
      .exec(status)?.[1]
      ?.trim()
      .split(/\s+/)
      .filter((word) => word !== "") ?? [];
  const capabilities = words("CapPrm")[0];
  if (capabilities === undefined) throw new Error("/proc/self/status does not say what this process may");
  const lines = uidMap
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  // No map at all is no proof of a namespace.
  const machine = !lines.some(([inside, outside]) => inside === 0 && outside !== undefined && outside !== 0);
  return {
    uids: words("Uid").map(Number),
    gids: words("Gid").map(Number),
    groups: words("Groups").map(Number),
    machine,
    capabilities: BigInt(`0x${capabilities}`),
  };
}

const rightsNow = (): Rights =>
  rightsIn(readFileSync("/proc/self/status", "utf8"), readFileSync("/proc/self/uid_map", "utf8"));

function leftByTrying(): string | undefined {
  if (process.getuid?.() !== nobody || process.getgid?.() !== nobody) return "it is still root";
  try {
    process.setuid?.(0);
    return "it can be root again";
  } catch {
    return undefined; // refused, as it should be
  }
}
