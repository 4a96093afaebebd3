import { command } from "../../../command.ts";

export const poolOff = command({
  name: "postgres pool off",
  summary: "Remove the pooler of a cluster; its clients' connections end",
  examples: ["perch postgres pool off -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["removePool"],
  async run({ cluster, daemon }) {
    const shown = await daemon.call("removePool", { params: { cluster } });
    return { json: shown, text: `Cluster ${cluster} has no pooler any more` };
  },
});
