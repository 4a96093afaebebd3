import { command } from "../../command.ts";

export const postgresRestart = command({
  name: "postgres restart",
  summary: "Restart every member of a cluster, replicas first",
  args: { cluster: { summary: "The cluster, where it is not given by -a", optional: true } },
  examples: ["perch postgres restart -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["restartCluster"],
  async run({ cluster, daemon }) {
    await daemon.call("restartCluster", { params: { cluster } });
    return { json: { name: cluster }, text: `Restarted cluster ${cluster}` };
  },
});
