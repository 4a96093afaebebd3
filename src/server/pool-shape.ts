import type * as api from "../api/schemas.ts";
import type { Pool } from "../model/records.ts";
import { memberPoolPort, poolPort } from "../network/rules.ts";
import { knowsPreparedStatements } from "../pooler/config.ts";
import { leaderPooler } from "../reconcile/pools.ts";
import type { ClusterView } from "../reconcile/view.ts";

/** The pooler as the status of its cluster shows it. Pure. */
export const poolShape = (view: ClusterView, { mode, size }: Pool): NonNullable<api.Cluster["pool"]> => ({
  mode,
  size,
  port: poolPort,
  note: poolNote(view, mode) ?? null,
});

/** What a user of it should know. */
function poolNote({ poolers, admission }: ClusterView, mode: Pool["mode"]): string | undefined {
  const away = poolers.find(({ facts }) => facts.wanted && !facts.answers);
  if (away !== undefined) {
    const which = away.id === leaderPooler ? String(poolPort) : `${memberPoolPort} of ${away.id}`;
    return `the one on ${which} does not run: ${away.trouble?.why ?? "it is being started"}`;
  }
  if (admission.trouble !== undefined) return `it cannot look up passwords in every database: ${admission.trouble.why}`;
  const version = poolers.find(({ facts }) => facts.version !== undefined)?.facts.version;
  if (version === undefined || mode === "session" || knowsPreparedStatements(version)) return undefined;
  return `statements that a driver prepares do not work in transaction mode with PgBouncer ${version}; they do from 1.21 on, and with --mode session`;
}
