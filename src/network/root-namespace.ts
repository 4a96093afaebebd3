import { type FileHandle, open, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { run, succeeds } from "../host/process/command.ts";
import { exists, makeDirectory, type Owner } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import type { Place, Running } from "../host/process/place.ts";
import { isAlive } from "../host/process/process.ts";
import type { ProcessIdentity } from "../model/records.ts";
import { loopbackClaim, raiseLoopback } from "./loopback.ts";
import { mountServerNames, serverNameFiles } from "./server-names.ts";
import type { Namespace } from "./namespace.ts";

/** As `ip netns` knows it. */
export const namespaceName = (home: Pick<Home, "id">): string => `perch-${home.id}`;

/**
 * Commands have no rights over the network: root's may open ports from 54 on, so that none of theirs is taken for a
 * name server, and pings without raw sockets.
 */
const forCommands = `echo 54 >/proc/sys/net/ipv4/ip_unprivileged_port_start
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range`;

/**
 * As root: `ip netns add perch-<id>`. PostgreSQL refuses root, so it runs as a system user, who may not be able to
 * enter PERCH_HOME (below a 0700 directory); he sees the home's PostgreSQL directory bound at `<runtime>/postgres` in a
 * mount namespace of each server's own, which goes with it.
 */
export function rootNamespace(home: Home, postgres: Owner, former?: Owner): Namespace {
  const name = namespaceName(home);
  const path = `/run/netns/${name}`;
  const shown = join(home.runtime, "postgres");
  const enter = ["nsenter", `--net=${path}`, "--"];
  const names = serverNameFiles(home);
  // Where the runtime directory was made again a moment ago, nobody has made this one yet.
  const become = ({ uid, gid }: Owner) => `set -e
[ -d "$2" ] || mkdir -m 711 "$2"
mount --bind "$1" "$2"
shift 2
${mountServerNames}
exec setpriv --reuid=${uid} --regid=${gid} --clear-groups -- "$@"`;
  const unshare = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c"];
  const paths = [home.postgres, shown, names.resolv, names.nsswitch];
  const running = (owner: Owner): Running => ({
    owner,
    server: (argv) => [...enter, ...unshare, become(owner), "perch", ...paths, ...argv],
  });
  const place: Place = {
    mode: "root",
    ...running(postgres),
    ...(former === undefined ? {} : { former: running(former) }),
    tool: (argv) => [...enter, ...argv],
    joined: () => ({ net: path }),
    seen: (at) =>
      at === home.postgres || at.startsWith(`${home.postgres}/`) ? shown + at.slice(home.postgres.length) : at,
  };
  /** Open for as long as this process lives, so that the namespace does, too, when its name is taken away. */
  let kept: FileHandle | undefined;

  async function keep(): Promise<void> {
    await kept?.close();
    kept = await open(path);
  }

  /** Whether the name still leads to it. */
  async function isNamed(handle: FileHandle): Promise<boolean> {
    // The name may be gone.
    const [here, named] = await Promise.all([handle.stat(), stat(path).catch(() => undefined)]);
    return named !== undefined && here.dev === named.dev && here.ino === named.ino;
  }

  async function giveName(from: string): Promise<void> {
    await succeeds(["ip", "netns", "delete", name]); // a file left without its mount
    // From inside, where /proc/self has it: mount would take a descriptor for the name that is gone.
    await run([
      "nsenter",
      `--net=${from}`,
      "--",
      "sh",
      "-c",
      ': > "$1" && mount --bind /proc/self/ns/net "$1"',
      "perch",
      path,
    ]);
  }

  /** By somebody who lives in it, and not on the host. */
  async function findBy(inside: readonly ProcessIdentity[]): Promise<boolean> {
    const own = await readlink("/proc/self/ns/net");
    for (const one of inside) {
      // A process that ended is in no namespace of ours.
      const its = (await isAlive(one)) ? await readlink(`/proc/${one.pid}/ns/net`).catch(() => own) : own;
      if (its === own) continue;
      await giveName(`/proc/${one.pid}/ns/net`);
      return true;
    }
    return false;
  }

  return {
    place,
    claims: () => [loopbackClaim(enter)],
    async tend() {
      await makeDirectory(shown, { mode: 0o711 });
      if (kept === undefined || (await isNamed(kept))) return false;
      await giveName(`/proc/${process.pid}/fd/${kept.fd}`);
      return true;
    },
    async ensure(inside = []) {
      await makeDirectory(shown, { mode: 0o711 });
      const present = ((await exists(path)) && (await succeeds([...enter, "true"]))) || (await findBy(inside));
      if (!present) {
        await succeeds(["ip", "netns", "delete", name]); // a file left without its mount
        await run(["ip", "netns", "add", name]);
      }
      await raiseLoopback(enter);
      await succeeds([...enter, "sh", "-c", forCommands]);
      await keep();
      return !present;
    },
    async remove() {
      await kept?.close();
      kept = undefined;
      if (await exists(path)) await run(["ip", "netns", "delete", name]);
    },
  };
}
