import { poolPort, memberPoolPort } from "../../model/ports.ts";
import type * as api from "../../api/schemas.ts";
import type { Pool } from "../../model/records.ts";
import { mayPrepare, safeMode } from "../../pgbouncer/config.ts";
import { leaderPooler } from "../../reconcile/concerns/poolers/poolers.ts";
import type { ClusterView } from "../../cluster/view.ts";

/** The pooler as the status of its cluster shows it. Pure. */
export const poolShape = (view: ClusterView, pool: Pool): NonNullable<api.Cluster["pool"]> => {
  const version = view.poolers.find(({ facts }) => facts.version !== undefined)?.facts.version;
  return {
    mode: version === undefined ? pool.mode : safeMode(pool, version),
    preparedStatements: mayPrepare(pool),
    size: pool.size,
    port: poolPort,
    note: poolNote(view, pool) ?? null,
  };
};

/** What a user of it should know. */
function poolNote({ poolers, admission }: ClusterView, pool: Pool): string | undefined {
  const away = poolers.find(({ facts }) => facts.wanted && !facts.answers);
  if (away !== undefined) {
    const which = away.id === leaderPooler ? String(poolPort) : `${memberPoolPort} of ${away.id}`;
    return `the one on ${which} does not run: ${away.trouble?.why ?? "it is being started"}`;
  }
  if (admission.trouble !== undefined) return `it cannot look up passwords in every database: ${admission.trouble.why}`;
  return mayPrepare(pool) ? undefined : unprepared;
}

const unprepared =
  "no client may prepare statements through it; perch postgres recipe CLIENT -a APP says how each is told";
