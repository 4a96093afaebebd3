import type { Context } from "../../../cluster/context.ts";
import { changing, type Led } from "../../../cluster/leader/session.ts";
import { fail } from "../../../errors/error.ts";
import { attachmentUrl } from "../../../model/attachment-url.ts";
import type { AttachmentRecord, FormerLoginRecord, RotationRecord } from "../../../model/records.ts";
import { clusterSecrets } from "../../../model/secret.ts";
import { giveLogin } from "../../../postgres/sql/logins.ts";
import { setPassword } from "../../../postgres/sql/roles.ts";
import { rotationContext } from "../../../vault/sealed.ts";
import { sealedSecret } from "../../../vault/sealed-secret.ts";
import { nameIn } from "./plan.ts";

/**
 * A new password for a role, and with it the URL of the app attached as that role, or the operator's secret where it is
 * the operator's. Two systems change: what is wanted is written down first, and perchd goes on with that until both
 * have it. PostgreSQL is first; then secrets, attachments and the end of the wish are one transaction.
 */
export async function rotate(context: Context, led: Led, user: string): Promise<void> {
  const { state, vault } = context;
  const cluster = led.record.app;
  const rotation = await state.rotations.get({ cluster, user: encodeURIComponent(user) });
  if (rotation === undefined) return;
  const { login = user } = rotation;
  const password = vault.open(rotationContext(rotation), rotation.sealed);
  await changing(context, led, (session) =>
    rotation.login === undefined ? setPassword(session, user, password) : giveLogin(session, { user, login, password }),
  );
  const given = await give(context, rotation, { user, login, password });
  if (given === undefined) return;
  const { apps, former } = given;
  // Asked after that: a run that begins from now on gets the new URL.
  const runs = rotation.sooner === true && former !== undefined ? await runsOf(state, apps) : [];
  if (former !== undefined && runs.length > 0)
    await state.formerLogins.update(former, (record) => ({ ...record, runs }));
  const works = former !== undefined && Date.parse(former.until) > Date.now();
  const as = login === user ? "" : ` and logs in as ${login} with it`;
  const urls = apps.length === 0 ? "" : `; ${apps.join(", ")} has the URL`;
  const until = works ? `; the old one works until ${former.until}` : "";
  context.say(cluster, `user ${user} of ${cluster} has a new password${as}${urls}${until}`, rotation.by);
}

/** Everything that is kept of it, or nothing. Undefined where the wish was withdrawn meanwhile. */
function give(
  { state, vault }: Context,
  of: RotationRecord,
  { user, login, password }: { user: string; login: string; password: string },
): Promise<{ apps: string[]; former: FormerLoginRecord | undefined } | undefined> {
  const { cluster } = of;
  // The key of all secrets is not changed in here, which would write the wish again.
  return vault.sealing(async (sealer) => {
    const seen = await state.rotations.see(of);
    if (seen === undefined) return undefined;
    const rotation = seen.record;
    const attachments = (await state.attachments.list({ cluster })).filter(
      (attachment) => attachment.user === user && attachment.phase === "ready",
    );
    const [former] = attachments.flatMap((attachment) => formerOf(rotation, attachment, login) ?? []);
    const others = (await state.formerLogins.list({ cluster })).filter(
      (one) => one.user === user && nameIn(one.login) !== login,
    );
    const secrets = attachments.map((attachment) =>
      sealedSecret(sealer, attachment.app, attachment.variable, attachmentUrl(attachment, password, login)),
    );
    if (user === "postgres") secrets.push(sealedSecret(sealer, cluster, clusterSecrets.operator, password));
    const { done } = await state.commit(
      [state.rotations.still(seen)],
      [
        ...secrets.map((secret) => state.secrets.put(secret)),
        ...attachments.map(({ login: _before, ...rest }) =>
          state.attachments.put(login === user ? rest : { ...rest, login }),
        ),
        state.formerLogins.drop({ cluster, login: encodeURIComponent(login) }),
        ...(former === undefined ? [] : [state.formerLogins.put(former)]),
        ...(atOnce(rotation)
          ? others.map(({ runs: _waited, ...one }) => state.formerLogins.put({ ...one, until: rotation.until }))
          : []),
        state.rotations.drop(rotation),
      ],
    );
    if (!done) throw fail("conflict", { what: `the password of user ${user}` });
    return { apps: attachments.map((attachment) => attachment.app), former };
  });
}

/** Without any overlap: then all that came before ends, too. */
const atOnce = (rotation: RotationRecord): rotation is RotationRecord & { until: string } =>
  rotation.until !== undefined && rotation.until <= rotation.createdAt;

/** Undefined where there was another password for the same login, which is gone now. */
function formerOf(
  { cluster, until }: RotationRecord,
  { user, login: before = user }: AttachmentRecord,
  login: string,
): FormerLoginRecord | undefined {
  if (until === undefined || before === login) return undefined;
  return { cluster, login: encodeURIComponent(before), user, until, createdAt: new Date().toISOString() };
}

/** Those of these apps that run now. */
const runsOf = async (state: Context["state"], apps: readonly string[]): Promise<string[]> =>
  (await state.machines.list()).filter(({ kind, app }) => kind === "run" && apps.includes(app)).map(({ id }) => id);

/**
 * A rotation that does not come to its end is given up. PostgreSQL may have its login already, which no URL has: it is
 * a former login that has ended, and goes the way of those. Gives whether it was there to be given up; where it came to
 * its end first, all of it stays.
 */
export async function withdraw(
  state: Context["state"],
  of: Pick<RotationRecord, "cluster" | "user">,
): Promise<boolean> {
  const seen = await state.rotations.see(of);
  if (seen === undefined) return false;
  const { cluster, user, login } = seen.record;
  const now = new Date().toISOString();
  const ended = login && { cluster, login: encodeURIComponent(login), user: nameIn(user), until: now, createdAt: now };
  const { done } = await state.commit(
    [state.rotations.still(seen)],
    [state.rotations.drop(of), ...(ended ? [state.formerLogins.put(ended)] : [])],
  );
  return done;
}
