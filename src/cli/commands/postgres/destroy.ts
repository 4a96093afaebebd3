import { command, yesFlag } from "../../command.ts";

export const postgresDestroy = command({
  name: "postgres destroy",
  summary: "Destroy a cluster with all its data",
  args: { cluster: { summary: "The cluster, where it is not given by -a", optional: true } },
  flags: { detach: { type: "boolean", summary: "Detach the apps that are attached to it first" }, yes: yesFlag },
  examples: ["perch postgres destroy pg", "perch postgres destroy pg --detach --yes"],
  needs: ["json", "daemon", "cluster"],
  routes: ["showCluster", "destroyCluster"],
  async run({ cluster, flags, daemon, terminal }) {
    // A question about what is not there is none.
    await daemon.call("showCluster", { params: { cluster } });
    const consent = {
      yes: flags.yes,
      warning: "Destroying a cluster is not reversible: its data is lost.",
      question: `Destroy cluster ${cluster}?`,
      what: `Destroying cluster ${cluster}`,
    };
    if (!(await terminal.consent(consent))) return undefined;
    await daemon.call("destroyCluster", { params: { cluster }, query: { detach: String(flags.detach) } });
    return { json: { name: cluster }, text: `Destroyed cluster ${cluster}` };
  },
});
