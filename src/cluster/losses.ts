import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { superuser } from "../postgres/instance/hba.ts";
import { type Losses, lossesBefore } from "../postgres/replication/losses.ts";
import { type Context, memberOf, passwordsOf } from "./context.ts";

/** What a planned change of leader to that member would take. */
export async function lossesOf(
  context: Context,
  cluster: ClusterRecord,
  leader: MachineRecord,
  to: MachineRecord,
): Promise<Losses> {
  const login = { user: superuser, password: (await passwordsOf(context, cluster.app)).perch };
  const next = await context.monitors.session(memberOf(context, cluster, to), login.password);
  return lossesBefore(memberOf(context, cluster, leader), login, next);
}
