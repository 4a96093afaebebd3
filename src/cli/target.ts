import type { Client } from "../client/client.ts";
import { fail } from "../errors/error.ts";
import { defaultNetwork, findHome, type Home, oneName } from "../host/system/home.ts";
import { checkAppName } from "../model/name.ts";
import type { Command, Globals } from "./command.ts";

/** What a command is about: a network of this host, or the perchd of another. */
export interface Target {
  home: Home;
  allNetworks: boolean;
  reach(): Promise<Client>;
}

/** `heard` is told the version of a perchd of this host. */
export async function targetOf(
  command: Command,
  globals: Globals,
  env: NodeJS.ProcessEnv = process.env,
  heard?: (version: string) => void,
): Promise<Target> {
  if (globals.host !== undefined && globals.network !== undefined)
    throw fail("usage_invalid", {
      reason: "--host and --network exclude each other: a perchd that is reached from elsewhere serves one network",
    });
  const remote = globals.host ?? (globals.network === undefined ? wordIn(env, "PERCH_REMOTE") : undefined);
  if (remote !== undefined) return remoteTarget(command, remote, env);
  const named = globals.network ?? wordIn(env, "PERCH_NETWORK");
  const home = oneName(
    findHome({ ...env, PERCH_NETWORK: named === undefined ? "" : checkAppName(named, "network name") }),
  );
  if (home.network !== defaultNetwork) await checkMade(home);
  return {
    home,
    allNetworks: named === undefined,
    reach: async () => (await client()).clientOf(home, undefined, heard),
  };
}

/** Loaded by those who call it: `perch version` calls nothing. */
const client = () => import("../client/client.ts");

async function checkMade(home: Home): Promise<void> {
  const { networkPlace } = await import("../host/system/networks.ts");
  if ((await networkPlace(home)).made === undefined) throw fail("network_not_found", { network: home.network });
}

const wordIn = (env: NodeJS.ProcessEnv, name: string): string | undefined => (env[name] === "" ? undefined : env[name]);

async function remoteTarget(command: Command, text: string, env: NodeJS.ProcessEnv): Promise<Target> {
  const [{ parseRemote, remoteOf }, { calls }] = await Promise.all([import("./remotes.ts"), import("../api/calls.ts")]);
  const place = parseRemote(text);
  const closed = command.routes?.some((name) => !calls[name].remote) ?? false;
  if (closed || command.machineOnly === true) throw fail("machine_only", { what: `perch ${command.name}` });
  const home = oneName(findHome({ ...env, PERCH_NETWORK: "" }));
  return {
    home,
    allNetworks: false,
    reach: async () => (await client()).clientOf(await remoteOf(home.base, place, env)),
  };
}
