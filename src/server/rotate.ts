import { fail, isCode } from "../errors/error.ts";
import type { AttachmentRecord, RotationRecord } from "../model/records.ts";
import { checkPassword, databaseUrl } from "../model/secret.ts";
import { urlPort } from "../network/rules.ts";
import { hasUser, setPassword } from "../postgres/roles.ts";
import { rotationContext } from "../store/sealed.ts";
import { openSecret, sealedSecret } from "../store/sealed-secret.ts";
import { randomPassword } from "./clusters.ts";
import type { Deps } from "./deps.ts";
import type { Handlers } from "./http.ts";
import { onLeader } from "./leader.ts";

/**
 * A new password for a role, and with it the URL of every app attached as that role, and the operator's secret where it is his. Two systems change: the
 * password is written down first, and whoever takes over half-way goes on with that very one until both have it.
 */
export function rotateHandler(deps: Deps): Handlers["rotateUser"] {
  const { state, vault } = deps;
  return async ({ params, body }) => {
    const { cluster, user } = params;
    const password = body.password === undefined ? randomPassword() : checkPassword(body.password);
    await onLeader(deps, cluster, async (session) => {
      if (!(await hasUser(session, user))) throw fail("user_not_found", { user, app: cluster });
    });
    const name = encodeURIComponent(user);
    const of = { cluster, user: name };
    const rotation = await vault.sealing(async ({ seal }): Promise<RotationRecord> => {
      const made = { ...of, sealed: seal(rotationContext(of), password), createdAt: new Date().toISOString() };
      if (!(await state.rotations.create(made))) throw fail("busy", { what: `user ${user}`, by: "another rotation" });
      atWork.add(rotationContext(of));
      return made;
    });
    try {
      return { user, password, apps: await complete(deps, rotation) };
    } catch (error) {
      // Where PostgreSQL may have it already, the rotation stays and is gone on with.
      if (refused(error) || isCode(error, "no_active_leader")) await state.rotations.remove(rotation);
      throw error;
    } finally {
      atWork.delete(rotationContext(of));
    }
  };
}

/** Rotations whose handler still runs: a user has one at a time. */
const atWork = new Set<string>();

const refused = (error: unknown): boolean => isCode(error, "user_not_found") || isCode(error, "user_protected") || isCode(error, "app_not_found");

/** What was left half rotated, by a perchd that was killed or a full disk, is completed. A cluster without a leader is tried again later. */
export async function completeRotations(deps: Deps): Promise<void> {
  const left = (await deps.state.rotations.list()).filter((rotation) => !atWork.has(rotationContext(rotation)));
  for (const rotation of left) {
    await complete(deps, rotation).catch(async (error: unknown) => {
      deps.log.warn({ err: error }, "a password is still half rotated");
      if (refused(error)) await deps.state.rotations.remove(rotation);
    });
  }
}

/** PostgreSQL, then every secret and the end of the rotation in one transaction. May be repeated. Gives the names of the apps whose URL changed. */
async function complete(deps: Deps, rotation: RotationRecord): Promise<string[]> {
  const { state, vault, events } = deps;
  const { cluster } = rotation;
  const user = decodeURIComponent(rotation.user);
  const password = vault.open(rotationContext(rotation), rotation.sealed);
  await onLeader(deps, cluster, (session) => setPassword(session, user, password));
  const attachments = (await state.attachments.list({ cluster })).filter((attachment) => attachment.user === user && attachment.phase === "ready");
  await vault.sealing((sealer) => {
    const secrets = attachments.map((attachment) => sealedSecret(sealer, attachment.app, attachment.variable, urlOf(attachment, password)));
    if (user === "postgres") secrets.push(sealedSecret(sealer, cluster, "OPERATOR_PASSWORD", password));
    return state.commit([], [...secrets.map((secret) => state.secrets.put(secret)), state.rotations.drop(rotation)]);
  });
  const apps = attachments.map((attachment) => attachment.app);
  await events.append(cluster, `user ${user} of ${cluster} has a new password${apps.length === 0 ? "" : `, and ${apps.join(", ")} the URL with it`}`);
  return apps;
}

const urlOf = (attachment: AttachmentRecord, password: string): string => {
  const { scheme, user, cluster, database } = attachment;
  return databaseUrl({ scheme, user, password, host: `${cluster}.internal`, port: urlPort(attachment), database });
};

/** The password as the secrets know it, to go back to. */
export async function knownPassword(
  { state, vault }: Pick<Deps, "state" | "vault">,
  cluster: string,
  attachment: AttachmentRecord | undefined,
  user: string,
): Promise<string | undefined> {
  if (user === "postgres") {
    const secret = await state.secrets.get({ app: cluster, name: "OPERATOR_PASSWORD" });
    return secret && openSecret(vault, secret);
  }
  const secret = attachment && (await state.secrets.get({ app: attachment.app, name: attachment.variable }));
  try {
    return secret && decodeURIComponent(new URL(openSecret(vault, secret)).password);
  } catch {
    return undefined; // set over by hand, with something that is no URL
  }
}
