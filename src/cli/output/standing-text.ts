import type { Cluster } from "../../api/schemas.ts";
import { fail, type PerchError } from "../../errors/error.ts";

/**
 * How clusters stand when perchd runs: what `perch up` and `perch quickstart` say of those that are not whole. Pure.
 */
export interface Standing {
  /** Names of clusters whose leader cannot be started. */
  down: string[];
  /** An error each, with PostgreSQL's own words. */
  errors: PerchError[];
  /** A cluster that is on its way, and a replica that cannot be started beside a leader that leads. */
  notes: string[];
}

export function standingOf(clusters: readonly Cluster[]): Standing {
  const standing: Standing = { down: [], errors: [], notes: [] };
  for (const { name, phase, members } of clusters) {
    if (phase !== "ready") continue;
    const leader = members.find(({ role }) => role === "leader");
    const who = leader === undefined ? "it has no leader" : `its leader ${leader.id} in ${leader.region}`;
    const note = leader?.note === undefined ? "" : `: ${leader.note}`;
    if (leader === undefined || leader.state === "failed") {
      standing.down.push(name);
      standing.errors.push(
        fail("cluster_not_up", { cluster: name, why: leader === undefined ? who : `${who} does not run${note}` }),
      );
      continue;
    }
    // A leader that was stopped on purpose is as it should be.
    if (leader.state === "starting")
      standing.notes.push(
        `Cluster ${name} is coming up, ${who} does not take connections yet${note}; look at: perch logs -a ${name}`,
      );
    for (const { id, region, role, state, note: why } of members)
      if (role === "replica" && state === "failed")
        standing.notes.push(
          `Replica ${id} of ${name} in ${region} does not run${why === undefined ? "" : `: ${why}`}; look at: perch logs -a ${name}`,
        );
  }
  return standing;
}

/**
 * The same for who needs one of them: its own trouble is an error, also where it is half made or being destroyed, and
 * that of the others is worth a note.
 */
export function standingFor(
  name: string,
  clusters: readonly Cluster[],
): { error: PerchError | undefined; notes: string[] } {
  const { down, errors, notes } = standingOf(clusters);
  const half = clusters.find((cluster) => cluster.name === name && cluster.phase !== "ready");
  const phase = half?.phase === "creating" ? "still being created" : "being destroyed";
  return {
    error: half === undefined ? errors[down.indexOf(name)] : fail("cluster_not_ready", { app: name, phase }),
    notes: [
      ...notes,
      ...errors.filter((_error, index) => down[index] !== name).map(({ message, next }) => `${message}; ${next}`),
    ],
  };
}
