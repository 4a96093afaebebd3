import { command } from "../../command.ts";
import { acceptLosses } from "../../losses.ts";
import { clusterText } from "../../output/cluster-text.ts";

export const postgresFailover = command({
  name: "postgres failover",
  summary: "Make another member the leader: a switchover while the leader runs, else a failover",
  details:
    "While the leader answers no row of an ordinary table is lost: connections wait for some hundred milliseconds and go on at the new leader. The old one becomes a replica. Rows of unlogged tables, and replication slots that no replica has, are lost: where there are any, the command names them and asks.",
  args: { cluster: { summary: "The cluster, where it is not given by -a", optional: true } },
  flags: {
    to: {
      type: "string",
      value: "ID",
      summary: "The member to lead (default the most advanced replica of the primary region)",
    },
    force: {
      type: "boolean",
      summary: "Also when the leader does not answer: it is ended, and rows only it had are lost",
    },
    yes: {
      type: "boolean",
      short: "y",
      summary: "Accept the loss of unlogged rows and replication slots without asking",
    },
    allowSecondaryRegion: { type: "boolean", summary: "Also a member outside of the primary region" },
  },
  examples: [
    "perch postgres failover -a pg",
    "perch postgres failover -a pg --to 4d8a1f0c2b9e35",
    "perch postgres failover -a pg --yes",
    "perch postgres failover -a pg --force",
  ],
  needs: ["json", "daemon", "cluster"],
  routes: ["failover"],
  async run({ cluster, flags, daemon, terminal }) {
    const { to, force, allowSecondaryRegion } = flags;
    const body = { ...(to === undefined ? {} : { to }), force, allowSecondaryRegion };
    const shown = await acceptLosses(terminal, flags.yes, (accepted) =>
      daemon.call("failover", { params: { cluster }, body: { ...body, acceptLosses: accepted } }),
    );
    return shown === undefined ? undefined : { json: shown, text: clusterText(shown) };
  },
});
