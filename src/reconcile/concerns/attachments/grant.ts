import { fail, isCode } from "../../../errors/error.ts";
import type { AttachmentRecord } from "../../../model/records.ts";
import { attachmentUrl } from "../../../model/attachment-url.ts";
import { randomPassword } from "../../../vault/random-password.ts";
import { superuser } from "../../../postgres/instance/hba.ts";
import { defaultLimit, limitConnections, roomFor } from "../../../postgres/sql/connection-limit.ts";
import { createDatabase, hasDatabase } from "../../../postgres/sql/databases.ts";
import type { Member } from "../../../postgres/instance/directory.ts";
import { shareDatabase } from "../../../postgres/sql/ownership.ts";
import { createUser } from "../../../postgres/sql/roles.ts";
import { connect, type Session } from "../../../postgres/sql/session.ts";
import { sealedSecret } from "../../../vault/sealed-secret.ts";
import { type Context, passwordsOf } from "../../../cluster/context.ts";

/**
 * An attachment is made whole: a role, a database it owns, the URL as a secret of the app. What is made is noted in the
 * record before it is made, so that whoever takes over half-way takes away exactly that, and nothing that was there
 * before.
 */
export async function grant(
  context: Context,
  leader: Member,
  attachment: AttachmentRecord,
  admit: (database: string) => Promise<void>,
): Promise<void> {
  const password = randomPassword();
  const { cluster, database, user } = attachment;
  const open = await opener(context, leader, cluster);
  const session = await open("postgres");
  try {
    await makeUser(context, session, attachment, password);
    await limit(context, session, attachment);
    if (await hasDatabase(session, database)) {
      const taken = await shareDatabase(open, { name: database, user });
      if (taken.length > 0)
        context.say(
          cluster,
          `PUBLIC lost ${taken.join(", ")} of database ${database}, which ${attachment.app} is attached to; what was granted by name stays`,
        );
    } else await makeDatabase(context, session, attachment);
  } finally {
    await session.close();
  }
  await admit(attachment.database);
  await complete(context, attachment, password);
}

async function makeUser(
  context: Context,
  session: Session,
  attachment: AttachmentRecord,
  password: string,
): Promise<void> {
  await note(context, attachment, { user: true });
  await createUser(session, { name: attachment.user, password, superuser: attachment.superuser }).catch(
    async (error: unknown) => {
      if (!isCode(error, "user_exists")) throw error;
      await note(context, attachment, { user: false }); // somebody was quicker: it is theirs
      throw fail("database_user_exists", { user: attachment.user }, error);
    },
  );
}

/** None for a superuser: PostgreSQL would not look at it. */
async function limit(context: Context, session: Session, attachment: AttachmentRecord): Promise<void> {
  if (attachment.superuser) return;
  const size =
    attachment.pooled === true
      ? (await context.state.clusters.get({ app: attachment.cluster }))?.pool?.size
      : undefined;
  const connectionLimit = attachment.connectionLimit ?? defaultLimit(await roomFor(session), size);
  await limitConnections(session, attachment.user, connectionLimit);
  await context.state.attachments.update(attachment, (record) => ({ ...record, connectionLimit }));
}

async function makeDatabase(context: Context, session: Session, attachment: AttachmentRecord): Promise<void> {
  await note(context, attachment, { database: true });
  await createDatabase(session, { name: attachment.database, owner: attachment.user }).catch(async (error: unknown) => {
    if (isCode(error, "database_exists")) await note(context, attachment, { database: false });
    throw error;
  });
}

/** The secret appears and the attachment becomes ready in one transaction, or neither. */
async function complete({ state, vault }: Context, attachment: AttachmentRecord, password: string): Promise<void> {
  const { app, variable } = attachment;
  const url = attachmentUrl(attachment, password);
  const seen = await state.attachments.see(attachment);
  if (seen === undefined || seen.record.phase !== "creating") throw fail("cancelled", { what: `attaching ${app}` });
  const ready = state.attachments.put({ ...seen.record, phase: "ready" });
  const { done } = await vault.sealing((sealer) => {
    const secret = sealedSecret(sealer, app, variable, url);
    return state.commit(
      [state.attachments.still(seen), state.secrets.absent(secret)],
      [ready, state.secrets.put(secret)],
    );
  });
  if (!done) throw fail("secret_exists", { app, name: variable });
}

const note = ({ state }: Context, attachment: AttachmentRecord, made: Partial<AttachmentRecord["made"]>) =>
  state.attachments.update(attachment, (record) => ({ ...record, made: { ...record.made, ...made } }));

export async function opener(
  context: Context,
  leader: Member,
  cluster: string,
): Promise<(database: string) => Promise<Session>> {
  const { perch } = await passwordsOf(context, cluster);
  return (database) => connect(leader, { user: superuser, password: perch, database });
}
