import { type ConcernStep, type Due } from "../../../cluster/concern.ts";
import { leaderPooler, lookupKey, lookupThing, poolerConcern, type PoolFacts } from "../../../cluster/poolers.ts";
import { type ClusterView, leaderOf, leads } from "../../../cluster/view.ts";

export type PoolerStep = ConcernStep & { readonly concern: typeof poolerConcern } & (
    | {
        /** It runs as it should; it and its files are gone. */
        readonly what: "run" | "end";
        readonly pooler: string;
      }
    | {
        /** They may look roles up in these databases; what an older Perch left there for its poolers is gone. */
        readonly what: "admit" | "sweep";
        readonly databases: readonly string[];
      }
  );

const on = (what: "run" | "end", pooler: string, because: string): Due<PoolerStep> => ({
  step: { do: "concern", concern: poolerConcern, what, thing: pooler, pooler },
  because,
});
const inDatabases = (what: "admit" | "sweep", databases: readonly string[], because: string): Due<PoolerStep> => ({
  step: { do: "concern", concern: poolerConcern, what, thing: lookupThing, databases },
  because,
});

/** A pooler that is well answers within a millisecond. */
const silentMs = 3_000;

/** What is to be done about the poolers of a cluster, whether it has a leader or not. Pure. */
export function forPoolers(view: ClusterView, found: PoolFacts): Due<PoolerStep>[] {
  const { poolers, unadmitted, older } = found;
  const leader = leaderOf(view);
  const led = leader !== undefined && leads(leader);
  const admitted = led && view.cluster.pool !== undefined && unadmitted.length > 0;
  // What its settings say it asks must be there before, and what they said before until then.
  const askable = !admitted || view.things.get(lookupKey)?.trouble !== undefined;
  const current = poolers.every(({ facts }) => facts.running && facts.answers && facts.current);
  const because = `remove the schema perch_pool of an older Perch from ${older.join(", ")}: no pooler asks it any more`;
  return [
    ...poolers.flatMap((one) => forOne(view, one, askable) ?? []),
    ...(admitted ? [inDatabases("admit", unadmitted, `let the pooler look roles up in ${unadmitted.join(", ")}`)] : []),
    ...(led && !admitted && current && older.length > 0 ? [inDatabases("sweep", older, because)] : []),
  ];
}

function forOne(
  view: ClusterView,
  { id, facts, silentSince }: PoolFacts["poolers"][number],
  askable: boolean,
): Due<PoolerStep> | undefined {
  const which = id === leaderPooler ? `the pooler of ${view.cluster.app}` : `the pooler of machine ${id}`;
  if (!facts.wanted) return on("end", id, `end ${which}: it is not wanted any more`);
  if (silentSince !== undefined && view.now - silentSince >= silentMs)
    return on("end", id, `end ${which}: it does not answer for ${silentMs / 1000} s`);
  if (!facts.running) return on("run", id, `start ${which}: it is wanted and does not run`);
  if (facts.switches !== undefined) return on("run", id, `switch ${which} ${facts.switches}`);
  if (!facts.current) return askable ? on("run", id, `configure ${which}: its settings changed`) : undefined;
  if (facts.paused && view.cluster.change === undefined)
    return on("run", id, `resume ${which}: nothing changes any more for which it would wait`);
  return undefined;
}

/** Of a cluster that is being destroyed, before its members. Pure. */
export const toClear = ({ poolers }: PoolFacts): Due<PoolerStep>[] =>
  poolers.map(({ id }) => on("end", id, `end the pooler of ${id}: the cluster is being destroyed`));
