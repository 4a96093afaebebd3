import type { Status } from "../../api/schemas.ts";
import { fail } from "../../errors/error.ts";
import { command } from "../command.ts";
import { statusText } from "../output/cluster-text.ts";

export const statusCommand = command({
  name: "status",
  summary: "Show the network, perchd, and every cluster with its members",
  flags: {
    app: { type: "string", short: "a", value: "APP", summary: "Only this app and its clusters, or this cluster" },
  },
  examples: ["perch status", "perch status -a pg", "perch status --json"],
  needs: ["json", "daemon"],
  routes: ["status"],
  async run({ daemon, flags }) {
    const whole = await daemon.call("status", {});
    const status = flags.app === undefined ? whole : onlyOf(whole, flags.app);
    const none =
      flags.app === undefined
        ? []
        : [
            `App ${flags.app} is attached to no cluster. Attach it with: perch postgres attach CLUSTER --app ${flags.app}`,
          ];
    return { json: status, text: statusText(status, ...none) };
  },
});

/** A cluster, or an app and the clusters that it is attached to. Throws `app_not_found`. Pure. */
export function onlyOf(status: Status, name: string): Status {
  const apps = status.apps.filter((app) => app.name === name);
  const clusters = status.clusters.filter(
    (cluster) => cluster.name === name || cluster.attachments.some(({ app }) => app === name),
  );
  if (apps.length === 0 && clusters.length === 0) throw fail("app_not_found", { app: name });
  return { ...status, apps, clusters };
}
