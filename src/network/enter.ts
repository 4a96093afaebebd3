import type { Place } from "../host/process/place.ts";
import { asUserAgain } from "./user-namespace.ts";

export interface RunFiles {
  resolv: string;
  nsswitch: string;
  hosts: string;
}

/**
 * How a command becomes part of the network: it enters the network namespace and a mount namespace of its own, in which
 * resolv.conf, nsswitch.conf and hosts are ours and the door of systemd-resolved is shut (nss-resolve would ask the
 * host's resolver, where `.internal` does not exist). The host's own /etc is never touched, and as root the kernel's
 * settings are read-only. `covered` are directories that are empty there: Perch's own. argv is put before the command;
 * all of it execs, so the command keeps its pid, terminal and signals.
 */
export function enterNetwork(
  place: Place,
  files: RunFiles,
  covered: readonly string[],
  user: { uid: number; gid: number },
): string[] {
  if (place.mode === "portable") return [];
  const back = place.mode === "user" ? asUserAgain(user) : [];
  return [
    ...place.tool(["unshare", "--mount", "--propagation", "private", "--"]),
    "sh",
    "-c",
    place.mode === "root" ? script + readOnly + last : script + last,
    "perch",
    files.resolv,
    files.nsswitch,
    files.hosts,
    ...covered,
    "--",
    ...back,
  ];
}

const script = `set -e
[ ! -e /etc/resolv.conf ] || mount --bind "$1" /etc/resolv.conf
[ ! -e /etc/nsswitch.conf ] || mount --bind "$2" /etc/nsswitch.conf
[ ! -e /etc/hosts ] || mount --bind "$3" /etc/hosts
for door in /run/systemd/resolve/io.systemd.Resolve /run/nscd/socket; do [ ! -S "$door" ] || mount --bind /dev/null "$door"; done
shift 3
while [ "$1" != -- ]; do
  [ ! -d "$1" ] || mount -t tmpfs -o ro,mode=0555,size=4k perch "$1"
  shift
done
shift
`;

/**
 * Root's command owns the kernel's settings by its number alone, in whatever user namespace: the ports of this network
 * that only root may open, for one, and the program that every core of this host is given to.
 */
const readOnly = `for at in /proc/sys /proc/sysrq-trigger; do [ ! -e "$at" ] || mount --bind -o ro,nosuid,nodev,noexec "$at" "$at"; done
[ ! -e /sys/kernel ] || mount -o remount,bind,ro,nosuid,nodev,noexec /sys
`;

const last = `cd "$PWD" 2>/dev/null || { echo "perch: the directory $PWD belongs to Perch; what runs cannot see it" >&2; exit 126; }
exec "$@"`;

/** The host's hosts file with the machine's own address under the name that Fly.io gives it. */
export const hostsText = (hosts: string, address: string): string =>
  `${hosts}${hosts === "" || hosts.endsWith("\n") ? "" : "\n"}${address} fly-local-6pn\n`;
