import type { ConcernStep, Due } from "../../../cluster/concern.ts";
import {
  changeThing,
  leaderPooler,
  lookupKey,
  lookupThing,
  poolerConcern,
  type PoolerFacts,
  type PoolFacts,
} from "../../../cluster/poolers.ts";
import { type ClusterView, leaderOf, leads } from "../../../cluster/view.ts";

export type PoolerStep = ConcernStep & { readonly concern: typeof poolerConcern; readonly app: string } & (
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
    | {
        /** The role as which they do is made; all that they looked up by is gone; what was asked for is so. */
        readonly what: "make-role" | "drop-role" | "accept";
      }
  );

/** A pooler that is well answers within a millisecond. */
const silentMs = 3_000;

/** What is to be done about the poolers of a cluster, whether it has a leader or not. Pure. */
export function forPoolers(view: ClusterView, found: PoolFacts): Due<PoolerStep>[] {
  const { cluster } = view;
  const { poolers, unadmitted, password } = found;
  const leader = leaderOf(view);
  const led = leader !== undefined && leads(leader);
  if (cluster.pool === undefined && poolers.length === 0 && password)
    return led
      ? [inCluster(view, "drop-role", `drop the role perch_pooler: ${cluster.app} has no pooler any more`)]
      : [];
  const looking = led ? forLookup(view, found) : [];
  // What its settings say it asks must be there before, and what they said before until then.
  const admits = looking.some(({ step }) => step.what === "admit" || step.what === "make-role");
  const askable = !admits || view.things.get(lookupKey)?.trouble !== undefined;
  const each = poolers.flatMap((one) => forOne(view, one, { password, askable }) ?? []);
  const whole =
    each.length === 0 && unadmitted.length === 0 && found.role === true && poolers.every(({ facts }) => isWhole(facts));
  return [
    ...each,
    ...looking,
    ...(led && whole && cluster.poolBefore !== undefined && cluster.pool !== undefined
      ? [inCluster(view, "accept", `the pooler of ${cluster.app} is as it was asked for`)]
      : []),
  ];
}

const isWhole = ({ running, answers, current, paused }: PoolerFacts): boolean =>
  running && answers && current && !paused;

/** What the leader must have, so that they can look roles up. */
function forLookup(view: ClusterView, { poolers, unadmitted, older, role }: PoolFacts): Due<PoolerStep>[] {
  const wanted = view.cluster.pool !== undefined;
  if (wanted && role === false)
    return [inCluster(view, "make-role", "make the role perch_pooler: poolers look others up as this one")];
  if (wanted && unadmitted.length > 0)
    return [inDatabases(view, "admit", unadmitted, `let the pooler look roles up in ${unadmitted.join(", ")}`)];
  const current = poolers.every(({ facts }) => facts.running && facts.answers && facts.current);
  if (!current || older.length === 0) return [];
  const because = `remove the schema perch_pool of an older Perch from ${older.join(", ")}: no pooler asks it any more`;
  return [inDatabases(view, "sweep", older, because)];
}

function forOne(
  view: ClusterView,
  { id, facts, silentSince }: PoolFacts["poolers"][number],
  { password, askable }: { password: boolean; askable: boolean },
): Due<PoolerStep> | undefined {
  const which = id === leaderPooler ? `the pooler of ${view.cluster.app}` : `the pooler of machine ${id}`;
  const on = (what: "run" | "end", because: string) => onOne(view, what, id, because);
  if (!facts.wanted) return on("end", `end ${which}: it is not wanted any more`);
  if (silentSince !== undefined && view.now - silentSince >= silentMs)
    return on("end", `end ${which}: it does not answer for ${silentMs / 1000} s`);
  const older = view.cluster.poolBefore && whyReplaced(facts, view.cluster.poolBefore.version);
  if (older !== undefined) return on("end", `end ${which}: ${older}`);
  if (!password) return undefined;
  if (!facts.running) return on("run", `start ${which}: it is wanted and does not run`);
  if (facts.switches !== undefined) return on("run", `switch ${which} ${facts.switches}`);
  if (!facts.current) return askable ? on("run", `configure ${which}: its settings changed`) : undefined;
  if (facts.paused && view.cluster.change === undefined)
    return on("run", `resume ${which}: nothing changes any more for which it would wait`);
  return undefined;
}

/** A user who asks for a pooler gets the one on the disk; until then what runs goes on. */
function whyReplaced({ version, former }: PoolerFacts, present: string): string | undefined {
  if (version !== undefined && version !== present) return `it is PgBouncer ${version}, and ${present} is there now`;
  return former === true && version !== undefined ? "it runs as the user of an older Perch" : undefined;
}

const base = ({ cluster: { app } }: ClusterView) => ({ do: "concern", concern: poolerConcern, app }) as const;
const onOne = (view: ClusterView, what: "run" | "end", pooler: string, because: string): Due<PoolerStep> => ({
  step: { ...base(view), what, thing: pooler, pooler },
  because,
});
const inDatabases = (
  view: ClusterView,
  what: "admit" | "sweep",
  databases: readonly string[],
  because: string,
): Due<PoolerStep> => ({ step: { ...base(view), what, thing: lookupThing, databases }, because });
const inCluster = (
  view: ClusterView,
  what: "make-role" | "drop-role" | "accept",
  because: string,
): Due<PoolerStep> => ({
  step: { ...base(view), what, thing: what === "accept" ? changeThing : lookupThing },
  because,
});

/** Of a cluster that is being destroyed, before its members. Pure. */
export const toClear = (view: ClusterView, { poolers }: PoolFacts): Due<PoolerStep>[] =>
  poolers.map(({ id }) => onOne(view, "end", id, `end the pooler of ${id}: the cluster is being destroyed`));
