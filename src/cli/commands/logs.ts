import { command } from "../command.ts";
import { printFeed } from "../output/feed.ts";

export const logsCommand = command({
  name: "logs",
  summary: "Show what PostgreSQL of a cluster logs, all members together",
  flags: {
    follow: { type: "boolean", short: "f", summary: "Go on with what is logged from now on" },
    last: {
      type: "integer",
      short: "n",
      value: "COUNT",
      summary: "How many of the past",
      min: 0,
      max: 10_000,
      default: 100,
    },
    machine: { type: "string", value: "ID", summary: "Only those of this member" },
  },
  examples: ["perch logs -a pg", "perch logs -a pg -f"],
  needs: ["json", "daemon", "cluster"],
  routes: ["clusterLogs"],
  async run({ daemon, cluster, flags, terminal }) {
    const { follow, last, machine } = flags;
    const items = daemon.feed("clusterLogs", {
      params: { cluster },
      query: { follow: String(follow), last, ...(machine === undefined ? {} : { machine }) },
    });
    return printFeed(items, {
      follow,
      json: flags.json,
      terminal,
      line: (item) => `${item.at}  ${item.region} ${item.machine} ${item.level}: ${item.message}`,
    });
  },
});
