import { clusterSecrets } from "../../model/secret.ts";
import { fail } from "../../errors/error.ts";
import { loginsOf } from "../../model/login.ts";
import { printable } from "../../model/name.ts";
import type { AttachmentRecord } from "../../model/records.ts";
import { openSecret } from "../../vault/sealed-secret.ts";
import type { Deps } from "../deps.ts";

/** As whom a user comes in, with the password as the secrets know it. */
export async function knownLogin(
  { state, vault }: Pick<Deps, "state" | "vault">,
  cluster: string,
  attachment: AttachmentRecord | undefined,
  user: string,
): Promise<{ login: string; password?: string }> {
  if (user === "postgres") {
    const secret = await state.secrets.get({ app: cluster, name: clusterSecrets.operator });
    return { login: user, ...(secret && { password: openSecret(vault, secret) }) };
  }
  const login = attachment?.login ?? user;
  const secret = attachment && (await state.secrets.get({ app: attachment.app, name: attachment.variable }));
  try {
    return { login, ...(secret && { password: decodeURIComponent(new URL(openSecret(vault, secret)).password) }) };
  } catch {
    return { login }; // set over by hand, with something that is no URL
  }
}

/**
 * A rotation makes a login of this name when it needs one, and makes it a member of the app's role: a role that another
 * app had made under it first would be let into that app's database. Rejects with `identifier_invalid`.
 */
export async function refuseLoginOfAnother(
  { state }: Pick<Deps, "state">,
  cluster: string,
  name: string,
): Promise<void> {
  const whose = (await state.attachments.list({ cluster })).find(
    ({ user }) => user !== name && loginsOf(user).includes(name),
  );
  if (whose !== undefined)
    throw fail("identifier_invalid", {
      what: "user",
      name: printable(name),
      why: `it is kept for a login of ${whose.user}`,
    });
}
