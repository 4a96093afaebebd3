import { fail } from "../../errors/error.ts";
import type { ClusterRecord, MachineRecord } from "../../model/records.ts";
import type { Member } from "../../postgres/instance/directory.ts";
import { superuser } from "../../postgres/instance/hba.ts";
import { type Session, withSession } from "../../postgres/sql/session.ts";
import { type Context, memberOf, passwordsOf } from "../context.ts";
import { doubt } from "../monitor.ts";
import { inTurn } from "../shared-catalogs.ts";
import { type ClusterView, leaderOf, leads, whyNotLed } from "../view.ts";

/** A cluster with the member that leads it, as its caller has found them. */
export interface Led {
  record: ClusterRecord;
  leader: { record: MachineRecord };
}

/** Rejects with `no_active_leader` where there is none that takes writes. */
export function ledIn(view: ClusterView): Led {
  const leader = leaderOf(view);
  const { cluster } = view;
  if (leader === undefined || !leads(leader))
    throw fail("no_active_leader", { app: cluster.app, why: whyNotLed(leader), machine: cluster.leader });
  return { record: cluster, leader };
}

/** One piece of work on the leader, in a session of Perch's own superuser. */
export async function onLeader<T>(
  context: Context,
  { record, leader }: Led,
  work: (session: Session, leader: Member) => Promise<T>,
): Promise<T> {
  const { perch } = await passwordsOf(context, record.app);
  const member = memberOf(context, record, leader.record);
  try {
    return await withSession(member, { user: superuser, password: perch, database: "postgres" }, (session) =>
      work(session, member),
    );
  } catch (error) {
    doubt(context.monitors, member.id, error);
    throw error;
  }
}

/** The same for work that changes roles or databases: one after another. */
export const changing: typeof onLeader = (context, led, work) =>
  inTurn(led.record.app, () => onLeader(context, led, work));
