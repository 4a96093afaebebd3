import { randomBytes } from "node:crypto";
import { fail, isCode } from "../errors/error.ts";
import type { AttachmentRecord } from "../model/records.ts";
import { databaseUrl } from "../model/secret.ts";
import { urlPort } from "../network/rules.ts";
import { superuser } from "../postgres/access.ts";
import { createDatabase, dropDatabase, hasDatabase } from "../postgres/databases.ts";
import type { Member } from "../postgres/directory.ts";
import { shareDatabase } from "../postgres/ownership.ts";
import { createUser, retireUser } from "../postgres/roles.ts";
import { connect, type Session } from "../postgres/sql.ts";
import { openSecret, sealedSecret } from "../store/sealed-secret.ts";
import { type Context, passwordsOf } from "./context.ts";

/**
 * An attachment is made whole: a role, a database it owns, the URL as a secret of the app. What is made is noted in the record before it is made, so
 * that whoever takes over half-way takes away exactly that, and nothing that was there before.
 */
export async function grant(
  context: Context,
  leader: Member,
  attachment: AttachmentRecord,
  admit: (database: string) => Promise<void>,
): Promise<void> {
  const password = randomBytes(24).toString("base64url");
  const open = await opener(context, leader, attachment.cluster);
  const session = await open("postgres");
  try {
    await makeUser(context, session, attachment, password);
    if (await hasDatabase(session, attachment.database)) await shareDatabase(open, { name: attachment.database, user: attachment.user });
    else await makeDatabase(context, session, attachment);
  } finally {
    await session.close();
  }
  await admit(attachment.database);
  await complete(context, attachment, password);
}

async function makeUser(context: Context, session: Session, attachment: AttachmentRecord, password: string): Promise<void> {
  await note(context, attachment, { user: true });
  await createUser(session, { name: attachment.user, password, superuser: attachment.superuser }).catch(async (error: unknown) => {
    if (!isCode(error, "user_exists")) throw error;
    await note(context, attachment, { user: false }); // somebody was quicker: it is theirs
    throw fail("database_user_exists", { user: attachment.user }, error);
  });
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
  const { app, variable, scheme, user, database, cluster } = attachment;
  const url = databaseUrl({ scheme, user, password, host: `${cluster}.internal`, port: urlPort(attachment), database });
  const seen = await state.attachments.see(attachment);
  if (seen === undefined || seen.record.phase !== "creating") throw fail("cancelled", { what: `attaching ${app}` });
  const ready = state.attachments.put({ ...seen.record, phase: "ready" });
  const { done } = await vault.sealing((sealer) => {
    const secret = sealedSecret(sealer, app, variable, url);
    return state.commit([state.attachments.still(seen), state.secrets.absent(secret)], [ready, state.secrets.put(secret)]);
  });
  if (!done) throw fail("secret_exists", { app, name: variable });
}

/** The role goes, what it owned becomes the operator's; the database goes where the record says that it is the attachment's to take; the secret while it is its own. */
export async function revoke(context: Context, leader: Member, attachment: AttachmentRecord): Promise<void> {
  const { state, vault } = context;
  const open = await opener(context, leader, attachment.cluster);
  if (attachment.made.database) {
    const session = await open("postgres");
    await dropDatabase(session, attachment.database)
      .catch((error: unknown) => {
        if (!isCode(error, "database_not_found")) throw error;
      })
      .finally(() => session.close());
  }
  const formers = (await state.formerLogins.list({ cluster: attachment.cluster })).filter(({ user }) => user === attachment.user);
  if (attachment.made.user) {
    const logins = new Set([...formers.map(({ login }) => decodeURIComponent(login)), attachment.login ?? attachment.user]);
    logins.delete(attachment.user);
    for (const login of logins) await retireUser(open, login);
    await retireUser(open, attachment.user);
  }
  await handOver(context, open, attachment);
  const secret = await state.secrets.get({ app: attachment.app, name: attachment.variable });
  const own = secret !== undefined && leadsTo(openSecret(vault, secret), attachment);
  await state.commit(
    [],
    [state.attachments.drop(attachment), ...formers.map((former) => state.formerLogins.drop(former)), ...(own ? [state.secrets.drop(secret)] : [])],
  );
}

/** Apps that share the database keep it when the one that owned it goes: the first of them becomes its owner, the others members of that one. */
async function handOver({ state }: Context, open: (database: string) => Promise<Session>, gone: AttachmentRecord): Promise<void> {
  const others = (await state.attachments.list({ cluster: gone.cluster })).filter(
    (other) => other.database === gone.database && other.user !== gone.user && other.phase === "ready",
  );
  for (const { user } of others) await shareDatabase(open, { name: gone.database, user });
}

/** Whether a value is still the URL this attachment set, and not something set over it by hand. */
const leadsTo = (value: string, { cluster, user, login = user }: AttachmentRecord): boolean =>
  value.includes(`://${encodeURIComponent(login)}:`) && value.includes(`@${cluster}.internal:`);

const note = ({ state }: Context, attachment: AttachmentRecord, made: Partial<AttachmentRecord["made"]>) =>
  state.attachments.update(attachment, (record) => ({ ...record, made: { ...record.made, ...made } }));

async function opener(context: Context, leader: Member, cluster: string): Promise<(database: string) => Promise<Session>> {
  const { perch } = await passwordsOf(context, cluster);
  return (database) => connect(leader, { user: superuser, password: perch, database });
}
