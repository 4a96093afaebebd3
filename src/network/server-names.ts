import { join } from "node:path";
import { readText, writeWhole } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import { serverResolver } from "../model/address.ts";
import { nsswitchText, resolvText } from "./lookup-files.ts";

/**
 * How PostgreSQL's own processes look names up, for dblink, foreign servers and subscriptions: as a run does, but of a
 * resolver that knows the network and nothing else. An app may call a function with any name, and a name that is asked
 * outside is a way out for what it holds.
 */
export const serverNameFiles = (home: Pick<Home, "runtime">): { resolv: string; nsswitch: string } => ({
  resolv: join(home.runtime, "server-resolv.conf"),
  nsswitch: join(home.runtime, "server-nsswitch.conf"),
});

/** Before a server starts. What runs already gets them at its next start. */
export async function writeServerNames(home: Pick<Home, "runtime">, prefix: string): Promise<void> {
  const files = serverNameFiles(home);
  await writeWhole(files.resolv, resolvText(serverResolver(prefix)), { mode: 0o644 });
  await writeWhole(files.nsswitch, nsswitchText((await readText("/etc/nsswitch.conf")) ?? ""), { mode: 0o644 });
}

/**
 * For a shell in a mount namespace of its own: $1 and $2 are those files. The doors of resolvers that would ask outside
 * are shut.
 */
export const mountServerNames = `[ ! -f "$1" ] || [ ! -e /etc/resolv.conf ] || mount --bind "$1" /etc/resolv.conf
[ ! -f "$2" ] || [ ! -e /etc/nsswitch.conf ] || mount --bind "$2" /etc/nsswitch.conf
for door in /run/systemd/resolve/io.systemd.Resolve /run/nscd/socket; do [ ! -S "$door" ] || mount --bind /dev/null "$door"; done
shift 2`;
