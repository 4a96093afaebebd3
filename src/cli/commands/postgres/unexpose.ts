import { command } from "../../command.ts";

export const postgresUnexpose = command({
  name: "postgres unexpose",
  summary: "Close the public door of a cluster; connections through it end at once",
  args: { cluster: { summary: "The cluster, where it is not given by -a", optional: true } },
  examples: ["perch postgres unexpose -a pg"],
  needs: ["json", "daemon", "cluster"],
  routes: ["unexpose"],
  async run({ cluster, daemon }) {
    const done = await daemon.call("unexpose", { params: { cluster } });
    return { json: done, text: `The public door of ${cluster} is shut` };
  },
});
