import { createHash } from "node:crypto";
import { existsSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { weakness } from "../files/chain.ts";

/**
 * Where everything of one network lies. `PERCH_HOME` moves all of it; two homes share nothing, because everything
 * outside a home (the namespace, the runtime directory with its sockets) is named after the home's path. The network
 * `default` is PERCH_HOME itself; any other is a home in it, `networks/NAME`.
 */
export interface Home {
  network: string;
  /** PERCH_HOME, which all its networks lie in. */
  base: string;
  /** The state directory, absolute. */
  root: string;
  /** 8 hex digits of the path: the name of the namespace and of the runtime directory. */
  id: string;
  /** Short, because a socket's path may have 107 bytes only. */
  runtime: string;
  /** The API. */
  socket: string;
  /** `{pid, startTime, version}` of the running perchd. */
  daemonFile: string;
  /** Its pid alone, as service managers read it. */
  pidFile: string;
  store: string;
  key: string;
  log: string;
  /** One directory a member, and `tools/`. */
  postgres: string;
}

export const isRoot = (): boolean => process.getuid?.() === 0;

export const defaultNetwork = "default";

/** The home that the environment names: `PERCH_HOME`, and in it the network `PERCH_NETWORK`. */
export function findHome(env: NodeJS.ProcessEnv = process.env): Home {
  const given = env["PERCH_HOME"];
  const base =
    given !== undefined && given !== ""
      ? isAbsolute(given)
        ? resolve(given)
        : resolve(process.cwd(), given)
      : isRoot()
        ? "/var/lib/perch"
        : join(homedir(), ".perch");
  const network = env["PERCH_NETWORK"];
  return homeOf(base, network === undefined || network === "" ? defaultNetwork : network);
}

export function homeOf(base: string, network: string): Home {
  const root = network === defaultNetwork ? base : join(base, "networks", network);
  const id = createHash("sha256").update(root).digest("hex").slice(0, 8);
  const runtime =
    isRoot() && process.platform === "linux" ? `/run/perch/${id}` : `/tmp/perch-${process.getuid?.() ?? 0}/${id}`;
  return {
    network,
    base,
    root,
    id,
    runtime,
    socket: join(runtime, "perchd.sock"),
    daemonFile: join(root, "perchd.json"),
    pidFile: join(runtime, "perchd.pid"),
    store: join(root, "perch.db"),
    key: join(root, "secret.key"),
    log: join(root, "perchd.log"),
    postgres: join(root, "postgres"),
  };
}

/**
 * One directory is one network, by whatever way one comes to it: links above the home are followed, so that its name,
 * from which all else is named, is the same each time. A home that is a link itself, or that is reached through what
 * belongs to others, is left as it is, and refused (`prepare.ts` of the daemon). So is one whose perchd runs by the
 * name that was given: an older Perch followed no link.
 */
export function oneName(home: Home): Home {
  const above = realAbove(dirname(home.base));
  const base = join(above, basename(home.base));
  if (base === home.base || weakness(dirname(home.base)) !== undefined || existsSync(home.socket)) return home;
  return homeOf(base, home.network);
}

/** As far as it is there. */
function realAbove(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realAbove(dirname(path)), basename(path)); // it is not there: what is above it may be
  }
}
