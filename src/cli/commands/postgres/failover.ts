import { command } from "../../command.ts";
import { clusterText } from "../../output/cluster-text.ts";

export const postgresFailover = command({
  name: "postgres failover",
  summary: "Make another member the leader: a switchover while the leader lives, else a failover",
  details:
    "While the leader answers nothing is lost: connections wait for some hundred milliseconds and go on at the new leader. The old one becomes a replica.",
  args: { cluster: { summary: "The cluster, where it is not given by -a", optional: true } },
  flags: {
    to: { type: "string", value: "ID", summary: "The member that shall lead; without it, the most advanced replica of the primary region" },
    force: { type: "boolean", summary: "Also when the leader does not answer: it is ended, and rows only it had are lost" },
    allowSecondaryRegion: { type: "boolean", summary: "Also a member outside of the primary region" },
  },
  examples: ["perch postgres failover -a pg", "perch postgres failover -a pg --to 4d8a1f0c2b9e35", "perch postgres failover -a pg --force"],
  needs: ["json", "daemon", "cluster"],
  routes: ["failover"],
  async run({ cluster, flags, daemon }) {
    const { to, force, allowSecondaryRegion } = flags;
    const shown = await daemon.call("failover", { params: { cluster }, body: { ...(to === undefined ? {} : { to }), force, allowSecondaryRegion } });
    return { json: shown, text: clusterText(shown) };
  },
});
