/** What the poolers of a cluster say of those who come through them. */
import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { describe, type PoolConsole, type Running } from "../pgbouncer/console.ts";
import type { Context } from "./context.ts";
import { poolerLayout, poolerPort, poolersWanted, poolPassword } from "./poolers.ts";

/** It has nothing to do but pass bytes on. */
const answersWithinMs = 500;

/** The console that is held open to one; undefined where it does not answer. */
export const consoleOf = async (
  context: Context,
  cluster: ClusterRecord,
  id: string,
): Promise<PoolConsole | undefined> =>
  context.consoles.hold(
    poolerLayout(context, cluster, id),
    { port: poolerPort(id), password: await poolPassword(context, cluster.app) },
    cluster.app,
  );

/** What runs there; undefined where it does not say. */
export const describedBy = async (console: PoolConsole | undefined): Promise<Running | undefined> =>
  // A console that does not answer is seen as silent.
  console && describe(console, answersWithinMs).catch(() => undefined);

async function asked<Row extends object>(
  context: Context,
  cluster: ClusterRecord,
  id: string,
  command: string,
): Promise<Row[] | undefined> {
  const console = await consoleOf(context, cluster, id);
  // A console that does not answer is seen as silent.
  return console?.ask<Row>(command, answersWithinMs).catch(() => undefined);
}

export interface PoolerCounts {
  clients: number;
  /** Those of them that wait for a server. */
  waiting: number;
  /** Connections to the server, in use or not. */
  servers: number;
}

/** Who is connected through one just now; undefined when it does not say. */
export async function countsOf(
  context: Context,
  cluster: ClusterRecord,
  id: string,
): Promise<PoolerCounts | undefined> {
  type Row = Record<"cl_active" | "cl_waiting" | "sv_active" | "sv_idle" | "sv_used", number> & { database: string };
  const rows = await asked<Row>(context, cluster, id, "SHOW POOLS");
  if (rows === undefined) return undefined;
  const sum = (count: (row: Row) => number) =>
    rows.reduce((total, row) => total + (row.database === "pgbouncer" ? 0 : count(row)), 0);
  return {
    clients: sum((row) => row.cl_active + row.cl_waiting),
    waiting: sum((row) => row.cl_waiting),
    servers: sum((row) => row.sv_active + row.sv_idle + row.sv_used),
  };
}

/** As whom clients are connected through any of them; undefined when one of them does not say. */
export async function usersOfPool(
  context: Context,
  cluster: ClusterRecord,
  machines: readonly MachineRecord[],
): Promise<string[] | undefined> {
  const users: string[] = [];
  for (const id of poolersWanted(cluster, machines).keys()) {
    const rows = await asked<{ user: string }>(context, cluster, id, "SHOW CLIENTS");
    if (rows === undefined) return undefined;
    users.push(...rows.map(({ user }) => user));
  }
  return users;
}
