import { command } from "../../command.ts";
import { clusterState } from "../../output/cluster-text.ts";
import { table } from "../../output/columns.ts";

export const postgresList = command({
  name: "postgres list",
  summary: "List the clusters",
  examples: ["perch postgres list", "perch pg ls --json"],
  needs: ["json", "daemon"],
  routes: ["listClusters"],
  async run({ daemon }) {
    const clusters = await daemon.call("listClusters", {});
    const rows = clusters.map((cluster) => {
      const regions = [...new Set(cluster.members.map((member) => member.region))].join(",");
      return [
        cluster.name,
        cluster.version,
        cluster.primaryRegion,
        String(cluster.members.length),
        regions,
        clusterState(cluster),
      ];
    });
    return {
      json: clusters,
      text: table(
        ["Name", "Version", "Primary", "Members", "Regions", "State"],
        rows,
        "No clusters yet. Create one with: perch postgres create --name pg",
      ),
    };
  },
});
