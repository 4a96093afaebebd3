import { command } from "../../command.ts";
import { acceptLosses } from "../../losses.ts";
import { clusterText } from "../../output/cluster-text.ts";

export const postgresPromote = command({
  name: "postgres promote",
  summary: "Move a cluster to where a replica is: it becomes the leader, and its region the primary region",
  args: { id: { summary: "The replica" } },
  flags: {
    force: {
      type: "boolean",
      summary: "Also when the leader does not answer: it is ended, and rows only it had are lost",
    },
    yes: {
      type: "boolean",
      short: "y",
      summary: "Accept the loss of unlogged rows and replication slots without asking",
    },
  },
  examples: ["perch postgres promote 4d8a1f0c2b9e35 -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["failover"],
  async run({ cluster, args, flags, daemon, terminal }) {
    const shown = await acceptLosses(terminal, flags.yes, (accepted) =>
      daemon.call("failover", {
        params: { cluster },
        body: { to: args.id, force: flags.force, promote: true, acceptLosses: accepted },
      }),
    );
    return shown === undefined ? undefined : { json: shown, text: clusterText(shown) };
  },
});
