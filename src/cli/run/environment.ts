import { fail } from "../../errors/error.ts";
import { withoutLibpq } from "./libpq.ts";

/** The environment of a run. Pure. */

export interface Sources {
  /** The environment `perch run` itself was called in. */
  own: NodeJS.ProcessEnv;
  /** From the daemon: PGHOST and its kin. */
  defaults: Record<string, string>;
  /** `[env]` of perch.toml or fly.toml. */
  file: Record<string, string>;
  filePrimaryRegion: string | undefined;
  /** From the daemon: the app's secrets, and FLY_*, PERCH_*, PRIMARY_REGION. */
  daemon: Record<string, string>;
  /** --env NAME=VALUE */
  given: Record<string, string>;
}

/**
 * Later wins: own without libpq's variables, the defaults, [env], secrets, primary_region of the file, --env; and FLY_*
 * and PERCH_* of the daemon over all.
 */
export function runEnvironment({ own, defaults, file, filePrimaryRegion, daemon, given }: Sources): NodeJS.ProcessEnv {
  const platform = Object.fromEntries(Object.entries(daemon).filter(([name]) => isPlatform(name)));
  return {
    ...withoutLibpq(own),
    ...defaults,
    ...file,
    ...daemon,
    ...(filePrimaryRegion === undefined ? {} : { PRIMARY_REGION: filePrimaryRegion }),
    ...given,
    ...platform,
  };
}

const isPlatform = (name: string): boolean => /^(FLY|PERCH)_/.test(name);

/** `--env` pairs; throws `env_pair_invalid`. */
export function envPairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const cut = pair.indexOf("=");
      const name = pair.slice(0, Math.max(cut, 0));
      // The name only: a value may be a secret.
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
        throw fail("env_pair_invalid", { pair: cut < 0 ? pair.slice(0, 40) : `${name.slice(0, 40)}=…` });
      if (isPlatform(name))
        throw fail("usage_invalid", {
          reason: `--env ${name}: names that begin FLY_ or PERCH_ are set by Perch itself`,
        });
      return [name, pair.slice(cut + 1)];
    }),
  );
}
