import { defaultNetwork, type Home, homeOf } from "../../../host/system/home.ts";
import { type Made, namedNetworks } from "../../../host/system/networks.ts";
import { command } from "../../command.ts";
import { table } from "../../output/columns.ts";
import { statusIfRunning } from "../../start.ts";

export const networkList = command({
  name: "network list",
  summary: "List the networks of this host's home",
  examples: ["perch network list", "perch network list --json"],
  needs: ["json"],
  routes: ["status"],
  machineOnly: true,
  async run({ home: { base } }) {
    const named = await namedNetworks(base);
    const networks = await Promise.all([
      entry(homeOf(base, defaultNetwork)),
      ...named.map(({ home, made }) => entry(home, made ?? "half made")),
    ]);
    const rows = networks.map(({ name, state, mode, prefix, clusters, apps, runs }) => [
      name,
      state,
      prefix === null || mode === "portable" ? "-" : prefix,
      ...[clusters, apps, runs].map((count) => String(count ?? "-")),
    ]);
    return { json: networks, text: table(["Name", "State", "Prefix", "Clusters", "Apps", "Runs"], rows, "") };
  },
});

/** Counts are known while its perchd runs. */
async function entry(home: Home, made?: Made | "half made") {
  const status = await statusIfRunning(home);
  const state = made === "half made" ? made : status === undefined ? "down" : "up";
  return {
    name: home.network,
    state,
    prefix: status?.network.prefix ?? (typeof made === "object" ? made.prefix : null),
    mode: status?.network.mode ?? null,
    clusters: status?.clusters.length ?? null,
    apps: status?.apps.length ?? null,
    runs: status?.apps.reduce((sum, app) => sum + app.runs, 0) ?? null,
    home: home.root,
  };
}
