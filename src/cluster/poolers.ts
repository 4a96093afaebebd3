/**
 * The poolers of a cluster: one that leads to the leader, and one beside each member that leads to that member. Which
 * there should be, where their files lie, and what was found of them. Who starts and ends them is the concern in
 * `reconcile/concerns/poolers/`.
 */
import { fail } from "../errors/error.ts";
import { leaderPort, memberPoolPort, memberPort, poolPort } from "../model/ports.ts";
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { clusterSecrets } from "../model/secret.ts";
import { type PoolLayout, poolLayout } from "../pgbouncer/layout.ts";
import { findPooler, type Pooler } from "../pgbouncer/server.ts";
import { openSecret } from "../vault/sealed-secret.ts";
import { concernKey } from "./concern.ts";
import { type Context, memberOf, passwordsOf } from "./context.ts";
import type { ClusterView, Trouble } from "./view.ts";

/** The id of the one that leads to the leader; any other has its machine's. */
export const leaderPooler = "leader";

/** The concern's name; what it does in the databases of the cluster as a whole; the end of a change. */
export const poolerConcern = "pooler";
export const lookupThing = "lookup";
export const changeThing = "change";

/** As the loop remembers a pooler, and what lets them look roles up. */
export const poolerKey = (id: string): string => concernKey(poolerConcern, id);
export const lookupKey = concernKey(poolerConcern, lookupThing);

export interface PoolerFacts {
  wanted: boolean;
  running: boolean;
  /** Its console answers. */
  answers: boolean;
  /** Its files say what they should. */
  current: boolean;
  /** It keeps its clients waiting. */
  paused: boolean;
  /** Of the PgBouncer that runs; undefined where none answers. */
  version: string | undefined;
  /** It runs as the user of an older Perch. */
  former?: true;
  /** Into which mode it must go, and why; absent where it is in the right one. */
  switches?: string;
}

export interface PoolFacts {
  poolers: readonly {
    /** "leader", or the machine's. */
    id: string;
    facts: PoolerFacts;
    /** Since when it runs and does not answer. */
    silentSince: number | undefined;
  }[];
  /** The password is there of the role as which they look others up. */
  password: boolean;
  /** The role has it; undefined where the leader was not asked. */
  role: boolean | undefined;
  /** Databases into which the poolers cannot look yet; none where the leader was not asked. */
  unadmitted: readonly string[];
  /** Those in which an older Perch left what its poolers asked. */
  older: readonly string[];
}

export type PoolerView = PoolFacts["poolers"][number] & { trouble: Trouble | undefined };

type Seen = Pick<ClusterView, "found" | "things">;

/** What was found; undefined in a view of a cluster that was not looked at yet. */
export const poolFactsOf = ({ found }: Pick<Seen, "found">): PoolFacts | undefined =>
  found.get(poolerConcern) as PoolFacts | undefined;

export const poolersOf = (view: Seen | undefined): PoolerView[] =>
  (view === undefined ? [] : (poolFactsOf(view)?.poolers ?? [])).map((one) => ({
    ...one,
    trouble: view?.things.get(poolerKey(one.id))?.trouble,
  }));

/** Which poolers there should be: id → where it listens and leads. Pure. */
export function poolersWanted(
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
): Map<string, Pooler["config"]> {
  const { pool } = cluster;
  if (pool === undefined || cluster.phase !== "ready") return new Map();
  const { address, ...shared } = pool;
  const members = machines.filter((machine) => machine.phase === "ready");
  return new Map([
    // Its own address stands in the kernel's map like a member's: whoever leads is met there, now and after every
    // change.
    [leaderPooler, { address, port: poolPort, target: { host: address, port: leaderPort }, ...shared }],
    ...members.map((machine): [string, Pooler["config"]] => [
      machine.id,
      {
        address: machine.address,
        port: memberPoolPort,
        target: { host: machine.address, port: memberPort },
        ...shared,
      },
    ]),
  ]);
}

export const poolerPort = (id: string): number => (id === leaderPooler ? poolPort : memberPoolPort);

export const poolerLayout = ({ home }: Pick<Context, "home">, { app }: { app: string }, id: string): PoolLayout =>
  poolLayout(home, app, id === leaderPooler ? `${app}-${leaderPooler}` : id);

/** Of the role as which they look others up. */
export async function poolPassword({ state, vault }: Pick<Context, "state" | "vault">, app: string): Promise<string> {
  const secret = await state.secrets.get({ app, name: clusterSecrets.pooler });
  if (secret === undefined)
    throw fail("state_damaged", { path: `secrets/${app}/${clusterSecrets.pooler}`, why: "it is missing" });
  return openSecret(vault, secret);
}

/** Of the PgBouncer on this host; `again` where it may have been replaced. Rejects with `pooler_missing`. */
export const poolerVersion = async (again = false): Promise<string> => (await findPooler(again)).version;

/** More connections to a server than PostgreSQL takes in all would only fail later, under load. */
export async function connectionsTaken(context: Context, cluster: ClusterRecord): Promise<number | undefined> {
  const machine = await context.state.machines.get({ id: cluster.leader });
  const { perch } = await passwordsOf(context, cluster.app);
  const session = machine && (await context.monitors.session(memberOf(context, cluster, machine), perch));
  const rows = await session?.query<{ max: number }>(
    "SELECT pg_catalog.current_setting('max_connections')::int AS max",
  );
  return rows?.[0]?.max;
}
