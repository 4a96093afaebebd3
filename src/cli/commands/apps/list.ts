import { command } from "../../command.ts";
import { moment, table } from "../../output/columns.ts";

export const appsList = command({
  name: "apps list",
  summary: "List apps and clusters",
  examples: ["perch apps list", "perch apps list --json"],
  needs: ["json", "daemon"],
  routes: ["listApps"],
  async run({ daemon }) {
    const apps = await daemon.call("listApps", {});
    const rows = apps.map(({ name, kind, primaryRegion, machines, createdAt }) => [
      name,
      kind,
      primaryRegion ?? "-",
      String(machines),
      moment(createdAt),
    ]);
    return {
      json: apps,
      text: table(
        ["Name", "Kind", "Region", "Machines", "Created"],
        rows,
        "No apps yet. Create one with: perch apps create NAME",
      ),
    };
  },
});
