import { serialise } from "../../base/serialise.ts";
import { isCode } from "../../errors/error.ts";
import type { AttachmentRecord, FormerLoginRecord, RotationRecord } from "../../model/records.ts";
import { attachmentUrl } from "../../model/attachment-url.ts";
import { checkPassword, clusterSecrets } from "../../model/secret.ts";
import { giveLogin } from "../../postgres/sql/logins.ts";
import { setPassword } from "../../postgres/sql/roles.ts";
import { rotationContext } from "../../vault/sealed.ts";
import { sealedSecret } from "../../vault/sealed-secret.ts";
import { chooseAttachment } from "./attachments.ts";
import { requireApp } from "./apps.ts";
import { randomPassword } from "../../vault/random-password.ts";
import type { Deps } from "../deps.ts";
import { runsOf, tendFormerLogins, tendIn } from "./former-logins.ts";
import type { Handlers } from "../http/http.ts";
import { changing, onLeader } from "./leader.ts";
import { ownerOf, planRotation, type Wanted } from "./rotation-plan.ts";

/** One at a time: what is chosen for one must still be free when it is made. */
const inTurn = serialise();

/**
 * A new password for a role, and with it the URL of the app attached as that role, or the operator's secret where it is
 * his. An attached role has several logins, and one that nobody uses gets it: the one in use works on for what was
 * started with it. Two systems change: what shall be is written down first, and whoever takes over half-way goes on
 * with that very one until both have it.
 */
export function rotationHandlers(deps: Deps): Pick<Handlers, "rotateUser" | "rotateAttachment"> {
  const rotate = (
    cluster: string,
    named: string,
    { password, overlap }: { password?: string | undefined; overlap?: number | undefined },
  ) =>
    inTurn(async () => {
      const user = await ownerOf(deps, cluster, named);
      const wanted: Wanted = {
        cluster,
        user,
        password: password === undefined ? randomPassword() : checkPassword(password),
        overlap,
      };
      return { user, password: wanted.password, ...(await begin(deps, wanted)) };
    });
  return {
    rotateUser: ({ params, body }) => rotate(params.cluster, params.user, body),
    async rotateAttachment({ params, body }) {
      const app = await requireApp(deps, body.app);
      const found = (await deps.state.attachments.list({ cluster: params.cluster, app: app.name })).filter(
        ({ phase, variable }) => phase === "ready" && (body.variable === undefined || variable === body.variable),
      );
      const { user } = chooseAttachment(found, app.name, params.cluster);
      const { password: _secret, ...rotated } = await rotate(params.cluster, user, body);
      return rotated;
    },
  };
}

async function begin(deps: Deps, wanted: Wanted): Promise<Done> {
  const rotation = await planRotation(deps, wanted);
  try {
    return await complete(deps, rotation);
  } catch (error) {
    // Where PostgreSQL may have it already, the rotation stays and is gone on with.
    if (refused(error) || isCode(error, "no_active_leader")) await deps.state.rotations.remove(rotation);
    throw error;
  }
}

const refused = (error: unknown): boolean =>
  isCode(error, "user_not_found") || isCode(error, "user_protected") || isCode(error, "app_not_found");

/**
 * What was left half rotated, by a perchd that was killed or a full disk, is completed, and former logins end when it
 * is time. A cluster without a leader is tried again later.
 */
export const completeRotations = (deps: Deps): Promise<void> =>
  inTurn(async () => {
    for (const rotation of await deps.state.rotations.list()) {
      await complete(deps, rotation).catch(async (error: unknown) => {
        deps.log.warn({ err: error }, "a password is still half rotated");
        if (refused(error)) await deps.state.rotations.remove(rotation);
      });
    }
    await tendFormerLogins(deps);
  });

interface Done {
  /** As whom the new password logs in. */
  login: string;
  apps: string[];
  /** What works a while longer. `sooner`: it ends when all that was started with it has ended. */
  former: { login: string; until: string; sooner: boolean } | null;
}

/**
 * PostgreSQL, then secrets, attachments and the end of the rotation in one transaction, then what there was before. May
 * be repeated.
 */
async function complete(deps: Deps, rotation: RotationRecord): Promise<Done> {
  const { state, vault, events } = deps;
  const { cluster } = rotation;
  const user = decodeURIComponent(rotation.user);
  const { login = user } = rotation;
  const password = vault.open(rotationContext(rotation), rotation.sealed);
  await changing(deps, cluster, (session) =>
    rotation.login === undefined ? setPassword(session, user, password) : giveLogin(session, { user, login, password }),
  );
  const attachments = (await state.attachments.list({ cluster })).filter(
    (attachment) => attachment.user === user && attachment.phase === "ready",
  );
  const apps = attachments.map((attachment) => attachment.app);
  const [former] = attachments.flatMap((attachment) => formerOf(rotation, attachment, login) ?? []);
  const others = (await state.formerLogins.list({ cluster })).filter(
    (one) => one.user === user && decodeURIComponent(one.login) !== login,
  );
  await vault.sealing((sealer) => {
    const secrets = attachments.map((attachment) =>
      sealedSecret(sealer, attachment.app, attachment.variable, attachmentUrl(attachment, password, login)),
    );
    if (user === "postgres") secrets.push(sealedSecret(sealer, cluster, clusterSecrets.operator, password));
    return state.commit(
      [],
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
  });
  // Asked after that: whoever becomes a run from now on gets the new URL.
  const runs = rotation.sooner === true && former !== undefined ? await runsOf(deps, apps) : [];
  if (former !== undefined && runs.length > 0)
    await state.formerLogins.update(former, (record) => ({ ...record, runs }));
  // a public door refuses superusers by name
  if (attachments.some(({ superuser }) => superuser)) deps.clusters.find(cluster)?.wake();
  await onLeader(deps, cluster, (session) => tendIn(deps, cluster, session));
  const works = former !== undefined && Date.parse(former.until) > Date.now();
  const shown = works
    ? { login: decodeURIComponent(former.login), until: former.until, sooner: runs.length > 0 }
    : null;
  await events.append(cluster, sentenceOf({ cluster, user, login, apps, former: shown }));
  return { login, apps, former: shown };
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

function sentenceOf({ cluster, user, login, apps, former }: Done & { cluster: string; user: string }): string {
  const as = login === user ? "" : ` and logs in as ${login} with it`;
  const urls = apps.length === 0 ? "" : `; ${apps.join(", ")} has the URL`;
  return `user ${user} of ${cluster} has a new password${as}${urls}${former === null ? "" : `; the old one works until ${former.until}`}`;
}
