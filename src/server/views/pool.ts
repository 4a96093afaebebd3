import { poolPort, memberPoolPort } from "../../model/ports.ts";
import type * as api from "../../api/schemas.ts";
import type { Pool } from "../../model/records.ts";
import { leaderPooler, lookupKey, poolersOf } from "../../cluster/poolers.ts";
import { mayPrepare, safeMode } from "../../model/pool.ts";
import type { ClusterView } from "../../cluster/view.ts";

/** The pooler as the status of its cluster shows it. Pure. */
export const poolShape = (view: ClusterView, pool: Pool): NonNullable<api.Cluster["pool"]> => {
  const version = poolersOf(view).find(({ facts }) => facts.version !== undefined)?.facts.version;
  return {
    mode: version === undefined ? pool.mode : safeMode(pool, version),
    preparedStatements: mayPrepare(pool),
    size: pool.size,
    port: poolPort,
    note: poolNote(view, pool) ?? null,
  };
};

/** What a user of it should know. */
function poolNote(view: ClusterView, pool: Pool): string | undefined {
  const away = poolersOf(view).find(({ facts }) => facts.wanted && !facts.answers);
  if (away !== undefined) {
    const which = away.id === leaderPooler ? String(poolPort) : `${memberPoolPort} of ${away.id}`;
    return `the one on ${which} does not run: ${away.trouble?.why ?? "it is being started"}`;
  }
  const trouble = view.things.get(lookupKey)?.trouble;
  if (trouble !== undefined) return `it cannot look up passwords in every database: ${trouble.why}`;
  return mayPrepare(pool) ? undefined : unprepared;
}

const unprepared =
  "no client may prepare statements through it; perch postgres recipe CLIENT -a APP says how each is told";
