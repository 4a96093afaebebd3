import { fail } from "../../../../errors/error.ts";
import { command } from "../../../command.ts";

/** The settings that flyctl has a flag for; every other one is written NAME=VALUE. */
const flagOf = (setting: string) =>
  ({ type: "string", value: "VALUE", summary: `The same as ${setting}=VALUE` }) as const;

const settingFlags = {
  maxConnections: flagOf("max_connections"),
  sharedBuffers: flagOf("shared_buffers"),
  walLevel: flagOf("wal_level"),
  maxWalSenders: flagOf("max_wal_senders"),
  maxReplicationSlots: flagOf("max_replication_slots"),
  logStatement: flagOf("log_statement"),
  logMinDurationStatement: flagOf("log_min_duration_statement"),
  sharedPreloadLibraries: flagOf("shared_preload_libraries"),
  workMem: flagOf("work_mem"),
  maintenanceWorkMem: flagOf("maintenance_work_mem"),
};

export const configUpdate = command({
  name: "postgres config update",
  summary: "Change settings on every member of a cluster",
  details:
    "Any setting of PostgreSQL, checked by PostgreSQL itself. Those that need a restart say so and wait for it; --restart does it at once. Without a leader they are changed, too, and its start is tried with them. A change with which PostgreSQL does not start is taken back.",
  args: { settings: { summary: "NAME=VALUE", optional: true, many: true } },
  flags: {
    ...settingFlags,
    unset: { type: "strings", value: "NAME", summary: "Give a setting back to Perch and PostgreSQL" },
    restart: { type: "boolean", summary: "Restart the cluster if a change needs it" },
  },
  examples: [
    "perch postgres config update -a pg work_mem=16MB log_statement=ddl",
    "perch postgres config update -a pg --max-connections 300 --restart",
    "perch postgres config update -a pg --unset work_mem",
  ],
  needs: ["json", "daemon", "cluster"],
  routes: ["updateSettings", "restartCluster"],
  async run({ args, flags, cluster, daemon, terminal }) {
    const set = { ...settingsOf(flags), ...settingPairs(args.settings) };
    if (Object.keys(set).length + flags.unset.length === 0)
      throw fail("usage_invalid", { reason: "no changes were specified" });
    const change = await daemon.call("updateSettings", { params: { cluster }, body: { set, unset: flags.unset } });
    const { changed, restartNeeded, leaderless } = change;
    const done =
      changed.length === 0 ? `Nothing to change in ${cluster}` : `Changed in ${cluster}: ${changed.join(", ")}`;
    if (leaderless !== undefined)
      return {
        json: change,
        text: `${done}\n${cluster} has no leader still: ${leaderless}\nLook at: perch logs -a ${cluster}`,
      };
    if (restartNeeded.length === 0) return { json: change, text: done };
    if (!flags.restart)
      return {
        json: change,
        text: `${done}\nWaiting for a restart: ${restartNeeded.join(", ")}\nRestart it with: perch postgres restart -a ${cluster}`,
      };
    terminal.progress.say(`Restarting ${cluster} for ${restartNeeded.join(", ")}`);
    await daemon.call("restartCluster", { params: { cluster } });
    return { json: { ...change, restartNeeded: [] }, text: `${done}; ${cluster} was restarted` };
  },
});

/** `maxConnections` → `max_connections`, for the flags that were given. */
function settingsOf(flags: Record<string, unknown>): Record<string, string> {
  const given = Object.keys(settingFlags).flatMap((key): [string, string][] => {
    const value = flags[key];
    return typeof value === "string" ? [[key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]] : [];
  });
  return Object.fromEntries(given);
}

/** Pure. Throws `usage_invalid`. */
export function settingPairs(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const cut = pair.indexOf("=");
      if (cut < 1) throw fail("usage_invalid", { reason: `"${pair.slice(0, 80)}" is not a NAME=VALUE pair` });
      return [pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()];
    }),
  );
}
