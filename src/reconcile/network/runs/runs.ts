import { steadyNow } from "../../../base/clock.ts";
import { counted } from "../../../base/count.ts";
import type { ConcernStep } from "../../../cluster/concern.ts";
import { isAlive, isTaken } from "../../../host/process/process.ts";
import type { MachineRecord } from "../../../model/records.ts";
import { type AnyNetworkConcern, type NetworkConcern, networkConcernOf, type NetworkDue } from "../concern.ts";

interface RunStep extends ConcernStep {
  readonly concern: "runs";
  readonly what: "forget" | "sweep";
  /** Runs whose records go, or whose directories are nobody's any more. */
  readonly runs: readonly string[];
}

export interface RunFacts {
  /** On record, and the process that held it is gone. */
  dead: readonly Pick<MachineRecord, "id" | "app">[];
  /** Directories of runs that are not on record. */
  left: readonly string[];
}

/** A number that was given to another process within the time is noticed a minute later. */
const wholeLookMs = 60_000;
/** So many are named in a sentence. */
const named = 3;

/** Pure. */
export function forRuns({ dead, left }: RunFacts): NetworkDue<RunStep>[] {
  const dues: NetworkDue<RunStep>[] = [];
  if (dead.length > 0) {
    const who = dead.slice(0, named).map(({ id, app }) => `${id} of ${app}`);
    const more = dead.length > named ? ` and ${dead.length - named} more` : "";
    dues.push({
      step: step("forget", "runs that are gone", dead),
      because: `forget ${counted(dead.length, "run")} whose process is gone without a word: ${who.join(", ")}${more}`,
    });
  }
  if (left.length > 0)
    dues.push({
      step: step(
        "sweep",
        "directories of ended runs",
        left.map((id) => ({ id })),
      ),
      because: `sweep directories of ended runs: there are ${left.length} of runs that are on record no more`,
      quiet: true,
    });
  return dues;
}

const step = (what: RunStep["what"], thing: string, runs: readonly { id: string }[]): RunStep => ({
  do: "concern",
  concern: "runs",
  what,
  thing,
  runs: runs.map(({ id }) => id),
});

/**
 * Commands that run as machines of an app. One that ends takes its record away itself; of one that cannot (killed, or
 * perchd was away) the process that held it tells. Whether a number is in use is asked of a thousand in a millisecond;
 * whose it is takes longer.
 */
export function runsConcern(): AnyNetworkConcern {
  let lastWhole = -Infinity;
  const runs: NetworkConcern<RunStep, RunFacts> = {
    name: "runs",
    async observe({ runs: way, state }) {
      const whole = steadyNow() - lastWhole >= wholeLookMs;
      if (whole) lastWhole = steadyNow();
      // Before the records: a run's record is there before its directory.
      const directories = await way.present();
      const records = (await state.machines.list()).filter(({ kind }) => kind === "run");
      const lives = async ({ process }: MachineRecord): Promise<boolean> =>
        process !== undefined && isTaken(process.pid) && (!whole || (await isAlive(process)));
      const alive = await Promise.all(records.map(lives));
      const known = new Set(records.map(({ id }) => id));
      return {
        dead: records.filter((_record, index) => alive[index] === false),
        left: directories.filter((id) => !known.has(id)),
      };
    },
    plan: (_view, facts) => forRuns(facts),
    async apply({ what, runs: ids }, { runs: way, state, publish }) {
      if (what === "forget") {
        await state.commit(
          [],
          ids.map((id) => state.machines.drop({ id })),
        );
        await publish();
      } else await way.sweep(ids);
    },
    undo: () => Promise.resolve(false),
  };
  return networkConcernOf(runs);
}
