import type { AttachmentRecord } from "../model/records.ts";
import { checkPassword, databaseUrl } from "../model/secret.ts";
import { leaderPort } from "../network/rules.ts";
import { setPassword } from "../postgres/roles.ts";
import { openSecret, sealedSecret } from "../store/sealed-secret.ts";
import { randomPassword } from "./clusters.ts";
import type { Deps } from "./deps.ts";
import type { Handlers } from "./http.ts";
import { onLeader } from "./leader.ts";

/** A new password for a role, and with it the URL of every app attached as that role, and the operator's secret where it is his. */
export function rotateHandler(deps: Deps): Handlers["rotateUser"] {
  const { state, vault, events } = deps;
  return async ({ params, body }) => {
    const { cluster, user } = params;
    const password = body.password === undefined ? randomPassword() : checkPassword(body.password);
    const attachments = (await state.attachments.list({ cluster })).filter((attachment) => attachment.user === user && attachment.phase === "ready");
    const secrets = attachments.map((attachment) => sealedSecret(vault, attachment.app, attachment.variable, urlOf(attachment, password)));
    if (user === "postgres") secrets.push(sealedSecret(vault, cluster, "OPERATOR_PASSWORD", password));
    const before = await knownPassword(deps, cluster, attachments[0], user);

    await onLeader(deps, cluster, async (session) => {
      await setPassword(session, user, password);
      try {
        await state.commit(
          [],
          secrets.map((secret) => state.secrets.put(secret)),
        );
      } catch (error) {
        if (before !== undefined) await setPassword(session, user, before);
        throw error;
      }
    });
    const apps = attachments.map((attachment) => attachment.app);
    await events.append(
      cluster,
      `user ${user} of ${cluster} has a new password${apps.length === 0 ? "" : `, and ${apps.join(", ")} the URL with it`}`,
    );
    return { user, password, apps };
  };
}

const urlOf = ({ scheme, user, cluster, database }: AttachmentRecord, password: string): string =>
  databaseUrl({ scheme, user, password, host: `${cluster}.internal`, port: leaderPort, database });

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
