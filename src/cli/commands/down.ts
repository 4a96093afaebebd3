import { defaultNetwork, homeOf } from "../../host/system/home.ts";
import { namedNetworks, wantNetwork } from "../../host/system/networks.ts";
import { command } from "../command.ts";
import { each } from "../networks/each.ts";
import { stopNetwork } from "../networks/stop.ts";

export const downCommand = command({
  name: "down",
  summary: "Stop everything; data stays",
  details:
    "Stops every cluster, takes the private network away and ends perchd, in every network of the home; with --network, in that one alone, which then stays down when perch up starts the others. Where perchd died and its clusters live on, it is started first, so that they are stopped in order.",
  examples: ["perch down", "perch down --network blue"],
  routes: ["status", "shutdown"],
  machineOnly: true,
  async run({ home, allNetworks, terminal, signal }) {
    if (!allNetworks) {
      const stopped = await stopNetwork(home, terminal, signal);
      await wantNetwork(home, "down");
      return {
        text: stopped ? `Perch is down; the data stays in ${home.root}` : `Perch is not running for ${home.root}`,
      };
    }
    const others = (await namedNetworks(home.base)).map((network) => network.home);
    let stopped = 0;
    await each([...others, homeOf(home.base, defaultNetwork)], async (one) => {
      if (others.length > 0) terminal.progress.say(`network ${one.network}`);
      if (await stopNetwork(one, terminal, signal)) stopped += 1;
    });
    return {
      text: stopped > 0 ? `Perch is down; the data stays in ${home.root}` : `Perch is not running for ${home.root}`,
    };
  },
});
