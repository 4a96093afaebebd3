import type { Owner } from "../host/files.ts";
import type { Namespace } from "./namespace.ts";

/** No namespace at all: programs run on the host as they are; PostgreSQL, when we are root, as its system user. */
export function portableNamespace(postgres: Owner | undefined): Namespace {
  const become = postgres === undefined ? [] : ["setpriv", `--reuid=${postgres.uid}`, `--regid=${postgres.gid}`, "--clear-groups", "--"];
  return {
    place: { mode: "portable", owner: postgres, tool: (argv) => [...argv], server: (argv) => [...become, ...argv], seen: (path) => path },
    ensure: () => Promise.resolve(false),
    tend: () => Promise.resolve(false),
    claims: () => [],
    remove: () => Promise.resolve(),
  };
}
