import { dirname, join } from "node:path";
import { readdir } from "node:fs/promises";
import { makeDirectory, readText, removeTree, writeWhole } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import type { Place } from "../host/process/place.ts";
import { networkResolver, regionResolver } from "../model/address.ts";
import type { MachineRecord } from "../model/records.ts";
import { findRegion } from "../model/region.ts";
import { enterNetwork, hostsText } from "./enter.ts";
import { nsswitchText, resolvText } from "./lookup-files.ts";

/**
 * How a command becomes part of the network as this host: its files are made, in a directory of its machine, or of its
 * region where it belongs to no app.
 */
export const runWay = (home: Home, place: Place, prefix: string) => ({
  async enter(regionCode: string, machine: Pick<MachineRecord, "id" | "address"> | undefined): Promise<string[]> {
    if (place.mode === "portable") return [];
    const region = findRegion(regionCode);
    const resolver = region === undefined ? networkResolver(prefix) : regionResolver(prefix, region);
    const directory = join(directoryOf(home), machine?.id ?? regionCode);
    const files = {
      resolv: join(directory, "resolv.conf"),
      nsswitch: join(directory, "nsswitch.conf"),
      hosts: join(directory, "hosts"),
    };
    const hosts = (await readText("/etc/hosts")) ?? "";
    await makeDirectory(directory, { mode: 0o755 });
    await writeWhole(files.resolv, resolvText(resolver), { mode: 0o644 });
    await writeWhole(files.nsswitch, nsswitchText((await readText("/etc/nsswitch.conf")) ?? ""), { mode: 0o644 });
    await writeWhole(files.hosts, machine === undefined ? hosts : hostsText(hosts, machine.address), { mode: 0o644 });
    // Of this network and of every other of this user.
    const covered = [home.base, dirname(home.runtime)];
    return enterNetwork(place, files, covered, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 });
  },
  present: async (): Promise<string[]> => (await readdir(directoryOf(home)).catch(noneYet)).filter(isMachine),
  async sweep(machines: readonly string[]): Promise<void> {
    await Promise.all(machines.map((id) => removeTree(join(directoryOf(home), id))));
  },
});

const directoryOf = (home: Pick<Home, "runtime">): string => join(home.runtime, "runs");
const isMachine = (name: string): boolean => /^[0-9a-f]{14}$/.test(name);

function noneYet(error: NodeJS.ErrnoException): string[] {
  if (error.code === "ENOENT") return [];
  throw error;
}
