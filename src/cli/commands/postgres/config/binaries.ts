import { command } from "../../../command.ts";

export const configBinaries = command({
  name: "postgres config binaries",
  summary: "Run a cluster with the PostgreSQL of another directory, of the same major version",
  details:
    "The directory is checked before anything changes: it must have postgres and initdb of the same major, and the user PostgreSQL runs as must be able to run them. A server that runs goes on with what it has until it is restarted.",
  args: { directory: { summary: "The directory with postgres and initdb" } },
  flags: { restart: { type: "boolean", summary: "Restart the cluster at once" } },
  examples: [
    "perch postgres config binaries /usr/lib/postgresql/16/bin -a pg",
    "perch postgres config binaries /opt/pg/bin -a pg --restart",
  ],
  needs: ["json", "daemon", "cluster"],
  routes: ["setBinaries", "restartCluster"],
  async run({ args, flags, cluster, daemon, terminal }) {
    const change = await daemon.call("setBinaries", { params: { cluster }, body: { directory: args.directory } });
    const done = `${cluster} starts with PostgreSQL ${change.version} in ${change.directory} from now on`;
    if (change.restartNeeded.length === 0) return { json: change, text: done };
    if (!flags.restart)
      return {
        json: change,
        text: `${done}\nRunning with another version until a restart: ${change.restartNeeded.join(", ")}\nRestart them with: perch postgres restart -a ${cluster}`,
      };
    terminal.progress.say(`Restarting ${cluster} for PostgreSQL ${change.version}`);
    await daemon.call("restartCluster", { params: { cluster } });
    return { json: { ...change, restartNeeded: [] }, text: `${done}; ${cluster} was restarted` };
  },
});
