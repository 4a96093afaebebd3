import type { Member } from "../../postgres/instance/directory.ts";
import { superuser } from "../../postgres/instance/hba.ts";
import { type Session, withSession } from "../../postgres/sql/session.ts";
import { memberOf, passwordsOf } from "../../cluster/context.ts";
import { doubt } from "../../cluster/monitor.ts";
import { requireLeader } from "./cluster.ts";
import type { Deps } from "../deps.ts";

/**
 * One piece of work on the leader of a cluster, in a session of Perch's own superuser. Throws no_active_leader where
 * there is none.
 */
export async function onLeader<T>(
  deps: Deps,
  app: string,
  work: (session: Session, leader: Member) => Promise<T>,
  database = "postgres",
): Promise<T> {
  const { record, leader } = await requireLeader(deps, app);
  const { perch } = await passwordsOf(deps, app);
  const member = memberOf(deps, record, leader.record);
  try {
    return await withSession(member, { user: superuser, password: perch, database }, (session) =>
      work(session, member),
    );
  } catch (error) {
    doubt(deps.context.monitors, member.id, error);
    throw error;
  }
}
