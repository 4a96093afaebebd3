import { fail } from "../../../errors/error.ts";
import { command } from "../../command.ts";
import { clusterText } from "../../output/cluster-text.ts";

export const postgresSync = command({
  name: "postgres sync",
  summary: "Turn synchronous replication on or off: an acknowledged commit survives the loss of any one member",
  details:
    "With it a commit waits for one replica of the primary region. While no such replica streams, the leader acknowledges alone, and status says so.",
  args: { state: { summary: "on or off" } },
  examples: ["perch postgres sync on -a pg", "perch postgres sync off -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["setSynchronous"],
  async run({ cluster, args, daemon }) {
    if (args.state !== "on" && args.state !== "off") throw fail("usage_invalid", { reason: 'say "on" or "off"' });
    const shown = await daemon.call("setSynchronous", { params: { cluster }, body: { on: args.state === "on" } });
    return { json: shown, text: clusterText(shown) };
  },
});
