import type { ClusterRecord, MachineRecord } from "../model/records.ts";
import { superuser } from "../postgres/instance/hba.ts";
import { type Losses, lossesBefore, lossesText, unarchived } from "../postgres/replication/losses.ts";
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

/** The same in words; empty where it takes nothing. */
export const lossesTextOf = async (...of: Parameters<typeof lossesOf>): Promise<string> =>
  lossesText(await lossesOf(...of));

/** How many WAL files wait for the archive command; none where the leader does not say, for it is a remark only. */
export async function unarchivedOf(context: Context, cluster: ClusterRecord, leader: MachineRecord): Promise<number> {
  const { perch } = await passwordsOf(context, cluster.app);
  const session = await context.monitors.session(memberOf(context, cluster, leader), perch);
  // Without an answer no remark is made.
  return session === undefined ? 0 : unarchived(session).catch(() => 0);
}
