import type { Owner } from "../host/files/files.ts";
import type { Running } from "../host/process/place.ts";
import type { Namespace } from "./namespace.ts";

const running = (owner: Owner): Running => ({
  owner,
  server: (argv) => ["setpriv", `--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups", "--", ...argv],
});

/** No namespace at all: programs run on the host as they are; PostgreSQL, when we are root, as its system user. */
export function portableNamespace(postgres: Owner | undefined, former?: Owner): Namespace {
  const servers =
    postgres === undefined ? { owner: undefined, server: (argv: readonly string[]) => [...argv] } : running(postgres);
  return {
    place: {
      mode: "portable",
      ...servers,
      ...(former === undefined ? {} : { former: running(former) }),
      tool: (argv) => [...argv],
      seen: (path) => path,
    },
    ensure: () => Promise.resolve(false),
    tend: () => Promise.resolve(false),
    claims: () => [],
    remove: () => Promise.resolve(),
  };
}
