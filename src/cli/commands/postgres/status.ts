import { command } from "../../command.ts";
import { clusterText } from "../../output/cluster-text.ts";

export const postgresStatus = command({
  name: "postgres status",
  summary: "Show a cluster, its members and the apps attached to it",
  args: { cluster: { summary: "The cluster, where it is not given by -a", optional: true } },
  examples: ["perch postgres status -a pg", "perch pg status pg --json"],
  needs: ["json", "daemon", "cluster"],
  routes: ["showCluster"],
  async run({ cluster, daemon }) {
    const shown = await daemon.call("showCluster", { params: { cluster } });
    return { json: shown, text: clusterText(shown) };
  },
});
