import { join } from "node:path";
import { run, succeeds } from "../host/command.ts";
import { exists, makeDirectory, type Owner } from "../host/files.ts";
import type { Home } from "../host/home.ts";
import type { Place } from "../host/place.ts";
import { raiseLoopback } from "./loopback.ts";
import type { Namespace } from "./namespace.ts";

/** As `ip netns` knows it. */
export const namespaceName = (home: Pick<Home, "id">): string => `perch-${home.id}`;

/**
 * Commands have no rights over the network: root's may open ports from 54 on, so that none of theirs is taken for a name server, and pings without raw sockets.
 */
const forCommands = `echo 54 >/proc/sys/net/ipv4/ip_unprivileged_port_start
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range`;

/**
 * As root: `ip netns add perch-<id>`. PostgreSQL refuses root, so it runs as a system user, who may not be able to enter PERCH_HOME (below a 0700
 * directory); he sees the home's PostgreSQL directory bound at `<runtime>/postgres` in a mount namespace of each server's own, which goes with it.
 */
export function rootNamespace(home: Home, postgres: Owner): Namespace {
  const name = namespaceName(home);
  const path = `/run/netns/${name}`;
  const shown = join(home.runtime, "postgres");
  const enter = ["nsenter", `--net=${path}`, "--"];
  const becomePostgres = `mount --bind "$1" "$2" && shift 2 && exec setpriv --reuid=${postgres.uid} --regid=${postgres.gid} --init-groups -- "$@"`;
  const place: Place = {
    mode: "root",
    owner: postgres,
    tool: (argv) => [...enter, ...argv],
    joined: () => ({ net: path }),
    server: (argv) => [
      ...enter,
      "unshare",
      "--mount",
      "--propagation",
      "private",
      "--",
      "sh",
      "-c",
      becomePostgres,
      "perch",
      home.postgres,
      shown,
      ...argv,
    ],
    seen: (at) => (at === home.postgres || at.startsWith(`${home.postgres}/`) ? shown + at.slice(home.postgres.length) : at),
  };
  return {
    place,
    async ensure() {
      await makeDirectory(shown, { mode: 0o711 });
      const present = (await exists(path)) && (await succeeds([...enter, "true"]));
      if (!present) {
        await succeeds(["ip", "netns", "delete", name]); // a file left without its mount
        await run(["ip", "netns", "add", name]);
      }
      await raiseLoopback(enter);
      await succeeds([...enter, "sh", "-c", forCommands]);
      return !present;
    },
    async remove() {
      if (await exists(path)) await run(["ip", "netns", "delete", name]);
    },
  };
}
