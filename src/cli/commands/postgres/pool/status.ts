import { command } from "../../../command.ts";
import { poolText } from "../../../output/pool-text.ts";

export const poolStatus = command({
  name: "postgres pool status",
  summary: "Show the pooler of a cluster",
  examples: ["perch postgres pool status -a pg --json"],
  needs: ["json", "daemon", "cluster"],
  routes: ["showPool"],
  async run({ cluster, daemon }) {
    const shown = await daemon.call("showPool", { params: { cluster } });
    return { json: shown, text: poolText(shown) };
  },
});
