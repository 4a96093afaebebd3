import { command } from "../command.ts";
import { statusText } from "../output/cluster-text.ts";

export const statusCommand = command({
  name: "status",
  summary: "Show the network, perchd, and every cluster with its members",
  examples: ["perch status", "perch status --json"],
  needs: ["json", "daemon"],
  routes: ["status"],
  async run({ daemon }) {
    const status = await daemon.call("status", {});
    return { json: status, text: statusText(status) };
  },
});
