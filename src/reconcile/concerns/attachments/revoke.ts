import { leadsTo } from "../../../model/attachment-url.ts";
import { fail, isCode } from "../../../errors/error.ts";
import type { AttachmentRecord } from "../../../model/records.ts";
import { dropDatabase, hasDatabase } from "../../../postgres/sql/databases.ts";
import type { Member } from "../../../postgres/instance/directory.ts";
import { shareDatabase } from "../../../postgres/sql/ownership.ts";
import { checkRetirement, type Open, retireUsers } from "../../../postgres/sql/reassign.ts";
import { openSecret } from "../../../vault/sealed-secret.ts";
import { opener } from "./grant.ts";
import type { Context } from "../../../cluster/context.ts";
import { inTheWayOfDropping } from "./plan.ts";

/**
 * The database goes before the role does, for nothing brings it back: whatever could keep the role from going is looked
 * for first. Once it is gone, so is the way back, and what is left is gone on with. Where it cannot go, nothing has
 * changed, and it is not dropped later either: see `afterFailure`.
 */
export async function dropItsDatabase(context: Context, leader: Member, attachment: AttachmentRecord): Promise<void> {
  const { state } = context;
  const { app, cluster, database } = attachment;
  const way = inTheWayOfDropping(attachment, await state.attachments.list({ cluster }));
  if (way !== undefined && "apps" in way) throw fail("database_in_use", { database, apps: way.apps, app: cluster });
  if (way !== undefined) throw fail("conflict", { what: `the attachment of ${app}` });
  const open = await opener(context, leader, cluster);
  if (attachment.made.user) await checkRetirement(open, await loginsOf(context, attachment), database);
  await drop(open, attachment);
  await state.attachments.update(attachment, ({ detaching: _over, ...record }) => ({
    ...record,
    made: { ...record.made, database: false },
  }));
}

/** Whether it is gone is asked again where the answer was lost. */
async function drop(open: Open, { app, cluster, database }: AttachmentRecord): Promise<void> {
  const session = await open("postgres");
  try {
    await dropDatabase(session, database);
  } catch (error) {
    if (isCode(error, "database_not_found")) return;
    if (!isCode(error, "sql_failed")) throw error;
    const there = await isThere(open, database).catch((cause: unknown) => {
      throw fail(
        "half_detached",
        { app, cluster, why: "PostgreSQL does not say whether the database is gone" },
        new AggregateError([error, cause], "asking failed, too"),
      );
    });
    if (there) throw error;
  } finally {
    await session.close();
  }
}

async function isThere(open: Open, database: string): Promise<boolean> {
  const session = await open("postgres");
  return hasDatabase(session, database).finally(() => session.close());
}

/** Every login of its role, the role itself last. */
async function loginsOf({ state }: Context, { cluster, user, login = user }: AttachmentRecord): Promise<string[]> {
  const formers = (await state.formerLogins.list({ cluster }))
    .filter((former) => former.user === user)
    .map((former) => decodeURIComponent(former.login));
  return [...[...new Set([...formers, login])].filter((name) => name !== user), user];
}

/**
 * The role goes, and what it owned becomes the keeper's; the secret goes while it is the attachment's own. As a whole:
 * where the role cannot go, it is as before.
 */
export async function revoke(context: Context, leader: Member, attachment: AttachmentRecord): Promise<void> {
  const { app, cluster } = attachment;
  const open = await opener(context, leader, cluster);
  if (attachment.made.user) await retireUsers(open, await loginsOf(context, attachment));
  try {
    await handOver(context, open, attachment);
    await forgetIt(context, attachment);
  } catch (error) {
    throw fail("half_detached", { app, cluster, why: error instanceof Error ? error.message : String(error) }, error);
  }
}

async function forgetIt({ state, vault }: Context, attachment: AttachmentRecord): Promise<void> {
  const formers = (await state.formerLogins.list({ cluster: attachment.cluster })).filter(
    ({ user }) => user === attachment.user,
  );
  const secret = await state.secrets.get({ app: attachment.app, name: attachment.variable });
  const own = secret !== undefined && leadsTo(openSecret(vault, secret), attachment);
  await state.commit(
    [],
    [
      state.attachments.drop(attachment),
      ...formers.map((former) => state.formerLogins.drop(former)),
      ...(own ? [state.secrets.drop(secret)] : []),
    ],
  );
}

/**
 * Apps that share the database keep it when the one that owned it goes: the first of them becomes its owner, the others
 * members of that one.
 */
async function handOver({ state }: Context, open: Open, gone: AttachmentRecord): Promise<void> {
  const others = (await state.attachments.list({ cluster: gone.cluster })).filter(
    (other) => other.database === gone.database && other.user !== gone.user && other.phase === "ready",
  );
  for (const { user } of others) await shareDatabase(open, { name: gone.database, user });
}

/**
 * A detach that failed as a whole leaves the attachment ready, as it was. One that could not be taken back is gone on
 * with, and its database is not dropped: who was told that it failed must find it there. Gives whether it is as before.
 */
export async function afterFailure(
  { state }: Pick<Context, "state">,
  attachment: AttachmentRecord,
  why: unknown,
): Promise<boolean> {
  const half = isCode(why, "half_detached") || isCode(why, "half_retired");
  const record = await state.attachments.update(attachment, (now) => {
    if (now.phase !== "destroying" || now.detaching !== true) return now;
    const { detaching: _over, ...rest } = now;
    return half ? { ...rest, made: { ...now.made, database: false } } : { ...rest, phase: "ready" };
  });
  return record?.phase === "ready";
}
