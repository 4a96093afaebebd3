import { type Client, clientOf } from "../client/client.ts";
import { fail } from "../errors/error.ts";
import { defaultNetwork, findHome, type Home } from "../host/home.ts";
import { networkPlace } from "../host/networks.ts";
import { checkAppName } from "../model/name.ts";
import type { Command, Globals } from "./command.ts";

/** What a command is about: a network of this machine, or the perchd of another. */
export interface Target {
  home: Home;
  allNetworks: boolean;
  reach(): Promise<Client>;
}

export async function targetOf(_command: Command, globals: Globals, env: NodeJS.ProcessEnv = process.env): Promise<Target> {
  const named = globals.network ?? (env["PERCH_NETWORK"] === "" ? undefined : env["PERCH_NETWORK"]);
  const home = findHome({ ...env, PERCH_NETWORK: named === undefined ? "" : checkAppName(named, "network") });
  if (home.network !== defaultNetwork && (await networkPlace(home)).made === undefined) throw fail("network_not_found", { network: home.network });
  return { home, allNetworks: named === undefined, reach: () => Promise.resolve(clientOf(home)) };
}
