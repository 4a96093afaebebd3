import { counted } from "../../base/count.ts";
import { within } from "../../base/deadline.ts";
import type { AttachmentRecord } from "../../model/records.ts";
import { limitConnections } from "../../postgres/sql/connection-limit.ts";
import { type Admission, admission } from "../../postgres/sql/connect-privilege.ts";
import { personOptions } from "../../postgres/sql/session-options.ts";
import { type Context, memberOf, passwordsOf } from "../context.ts";
import type { ClusterView } from "../view.ts";
import { changing, type Led, ledIn } from "./session.ts";
import { superusersOf } from "./users.ts";

export const limitText = (limit: number): string =>
  limit < 0 ? "any number of connections" : `${counted(limit, "connection")} at a time`;

/** How many connections a role may have; its other logins follow it within seconds. */
export const limitUser = async (context: Context, led: Led, user: string, limit: number): Promise<void> =>
  void (await changing(context, led, (session) => limitConnections(session, user, limit)));

/**
 * Whether a role may connect to a database, and what keeps it from that: over the connection that is held open anyhow,
 * for where all are taken, another would be refused. Undefined where the leader does not say.
 */
export async function admissionOf(
  context: Context,
  { record, leader }: Led,
  { user, database }: { user: string; database: string },
): Promise<Admission | undefined> {
  const { perch } = await passwordsOf(context, record.app);
  const session = await context.monitors.session(memberOf(context, record, leader.record), perch);
  // Undefined is a line of its own: the leader could not be asked.
  return session && within(5_000, admission(session, user, database)).catch(() => undefined);
}

/**
 * What a person's session pins (`PGOPTIONS`) who logs in as this role with rights that the owner of the database has
 * not.
 */
export async function optionsFor(
  context: Context,
  view: ClusterView | undefined,
  asked: { user: string; attachment: AttachmentRecord | undefined; database: string | undefined },
): Promise<string | undefined> {
  return (await hasMore(context, view, asked)) ? personOptions() : undefined;
}

async function hasMore(
  context: Context,
  view: ClusterView | undefined,
  { user, attachment, database }: Parameters<typeof optionsFor>[2],
): Promise<boolean> {
  if (attachment !== undefined)
    return attachment.superuser || (database ?? attachment.database) !== attachment.database;
  if (user === "postgres") return true;
  // Where that cannot be asked, the session is taken for a superuser's: that is the careful answer.
  if (view === undefined) return true;
  const asking = async () => (await superusersOf(context, ledIn(view))).includes(user);
  return asking().catch(() => true); // the careful answer
}
