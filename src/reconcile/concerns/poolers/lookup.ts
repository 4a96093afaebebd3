/** What poolers look roles up by, in the databases of a cluster. */
import type { Context } from "../../../cluster/context.ts";
import { passwordsOf } from "../../../cluster/context.ts";
import type { ClusterRecord } from "../../../model/records.ts";
import { admit, sweep } from "../../../pgbouncer/lookup.ts";
import { superuser } from "../../../postgres/instance/hba.ts";
import { connect, sqlState } from "../../../postgres/sql/session.ts";
import { leaderMember } from "../../members.ts";

/** PgBouncer may look roles up in these databases. */
export async function admitDatabases(
  context: Context,
  cluster: ClusterRecord,
  databases: readonly string[],
): Promise<void> {
  const { perch } = await passwordsOf(context, cluster.app);
  const leader = await leaderMember(context, cluster);
  for (const database of databases) {
    const session = await connect(leader, { user: superuser, password: perch, database });
    const { number, older } = await admit(session, database).finally(() => session.close());
    const key = `${cluster.app}/${number}`;
    if (older) context.older.set(key, database);
    context.admitted.add(key);
  }
}

/** What an older Perch left in these databases goes. One that is gone itself has nothing left. */
export async function sweepDatabases(
  context: Context,
  cluster: ClusterRecord,
  databases: readonly string[],
): Promise<void> {
  const { perch } = await passwordsOf(context, cluster.app);
  const leader = await leaderMember(context, cluster);
  const there = olderIn(context, cluster.app);
  for (const [key] of there.filter(([, name]) => databases.includes(name))) {
    const database = context.older.get(key) ?? "";
    const session = await connect(leader, { user: superuser, password: perch, database }).catch((error: unknown) => {
      if (sqlState(error) !== "3D000") throw error;
    });
    await (session && sweep(session).finally(() => session.close()));
    context.older.delete(key);
  }
}

/** Databases with what an older Perch left there. */
export const olderIn = ({ older }: Context, app: string): [key: string, database: string][] =>
  [...older].filter(([key]) => key.startsWith(`${app}/`));
