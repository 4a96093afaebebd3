import { printable } from "../model/name.ts";
import { managedSettings } from "../postgres/instance/settings.ts";
import type { State } from "../store/records.ts";

/**
 * Settings that a Perch before this one let users change and this one keeps for itself. The servers run without them;
 * that is said once, and they leave the cluster's record. Said before they leave it: a perchd that is killed between
 * the two says it twice rather than never.
 */
export async function dropManagedSettings(
  state: Pick<State, "clusters">,
  say: (app: string, sentence: string) => void,
): Promise<void> {
  const isManaged = (name: string): boolean => managedSettings[name.toLowerCase()] !== undefined;
  for (const cluster of await state.clusters.list()) {
    const gone = Object.keys(cluster.settings).filter(isManaged);
    if (gone.length === 0) continue;
    const named = gone.map((name) => `${printable(name)} (${managedSettings[name.toLowerCase()]})`).join(", ");
    say(
      cluster.app,
      `settings of ${cluster.app} that an earlier Perch let users change are Perch's own now, and were dropped: ${named}`,
    );
    await state.clusters.update(cluster, (current) => ({
      ...current,
      settings: Object.fromEntries(Object.entries(current.settings).filter(([name]) => !isManaged(name))),
    }));
  }
}
