import { fail } from "../../../errors/error.ts";
import { removeTree } from "../../../host/files/files.ts";
import { defaultNetwork, type Home, homeOf } from "../../../host/system/home.ts";
import { beginNetwork, completeNetwork, networkPlace, removeNetwork } from "../../../host/system/networks.ts";
import { checkAppName } from "../../../model/name.ts";
import { portableWished } from "../../../host/system/portable-wish.ts";
import { command } from "../../command.ts";
import { stopHalfMade } from "../../networks/stop.ts";
import type { Terminal } from "../../output/terminal.ts";
import { up, upText } from "../../start.ts";

export const networkCreate = command({
  name: "network create",
  summary: "Create a network that the others cannot reach, and start it",
  details:
    "It has a perchd, a state, addresses and names of its own; say --network NAME, or set PERCH_NETWORK, to work in it. A network whose creation was interrupted is completed.",
  args: { network: { summary: "Its name: lower-case letters, digits and dashes" } },
  flags: { portable: { type: "boolean", summary: "Use ports on 127.0.0.1 instead of a private network" } },
  examples: ["perch network create blue", "perch network create blue --portable"],
  needs: ["json"],
  routes: ["status"],
  machineOnly: true,
  async run({ args, flags, home: { base }, terminal, signal }) {
    const name = checkAppName(args.network, "network name");
    if (name === defaultNetwork) throw fail("network_is_default", { what: "created" });
    const home = homeOf(base, name);
    if ((await networkPlace(home)).made !== undefined) throw fail("network_exists", { network: name });
    await beginNetwork(home);
    try {
      const result = await up({
        home,
        terminal,
        signal,
        portable: flags.portable || (await portableWished(homeOf(base, defaultNetwork))) || undefined,
        foreground: false,
      });
      const { prefix, mode } = result.status.network;
      if (mode === "portable")
        terminal.note(
          "In portable mode all networks share this host's 127.0.0.1: they have names and states of their own, and no wall",
        );
      await completeNetwork(home, { wanted: "up", prefix, createdAt: new Date().toISOString() });
      return { json: { name, prefix, home: home.root }, text: upText(result) };
    } catch (error) {
      await undo(home, terminal);
      throw error;
    }
  },
});

async function undo(home: Home, terminal: Terminal): Promise<void> {
  // What cannot even be started again has nothing that runs.
  await stopHalfMade(home, terminal).catch(() => removeTree(home.runtime));
  await removeNetwork(home);
}
