import { readdir } from "node:fs/promises";
import { counted } from "../../../base/count.ts";
import { fail } from "../../../errors/error.ts";
import { exists } from "../../../host/files/files.ts";
import { defaultNetwork, type Home, homeOf } from "../../../host/system/home.ts";
import { networkPlace, removeNetwork } from "../../../host/system/networks.ts";
import { checkAppName } from "../../../model/name.ts";
import { command, yesFlag } from "../../command.ts";
import { stopHalfMade, stopNetwork } from "../../networks/stop.ts";
import { statusIfRunning } from "../../start.ts";

export const networkDestroy = command({
  name: "network destroy",
  summary: "Destroy a network with its apps and secrets",
  details: "One that has clusters is refused without --force, which destroys them and their data, too.",
  args: { network: { summary: "Its name" } },
  flags: { yes: yesFlag, force: { type: "boolean", summary: "Destroy its clusters and their data, too" } },
  examples: ["perch network destroy blue", "perch network destroy blue --force --yes"],
  needs: ["json"],
  routes: ["status", "shutdown"],
  machineOnly: true,
  async run({ args, flags, home: { base }, terminal, signal }) {
    const name = checkAppName(args.network, "network name");
    if (name === defaultNetwork) throw fail("network_is_default", { what: "destroyed" });
    const home = homeOf(base, name);
    if (!(await exists(home.root))) throw fail("network_not_found", { network: name });
    const what = await clustersIn(home);
    if (what !== undefined && !flags.force) throw fail("network_in_use", { network: name, what });
    const lost = what === undefined ? "its apps and secrets" : `${what}, its apps and secrets`;
    const consent = {
      yes: flags.yes,
      warning: `Destroying network ${name} with ${lost} is not reversible.`,
      question: `Destroy network ${name}?`,
      what: `Destroying network ${name}`,
    };
    if (!(await terminal.consent(consent))) return undefined;
    if ((await networkPlace(home)).made === undefined) await stopHalfMade(home, terminal);
    else await stopNetwork(home, terminal, signal);
    await removeNetwork(home);
    return { json: { name }, text: `Destroyed network ${name}` };
  },
});

/** Asked of perchd where it runs; where it does not, the directories of members say the same. */
async function clustersIn(home: Home): Promise<string | undefined> {
  const status = await statusIfRunning(home);
  if (status !== undefined && status.clusters.length > 0) return counted(status.clusters.length, "cluster");
  const members =
    // Without the directory it has no cluster.
    status === undefined ? (await readdir(home.postgres).catch(() => [])).filter((entry) => entry !== "tools") : [];
  return members.length === 0 ? undefined : `the data of ${counted(members.length, "cluster member")}`;
}
