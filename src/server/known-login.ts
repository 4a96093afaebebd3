import type { AttachmentRecord } from "../model/records.ts";
import { openSecret } from "../store/sealed-secret.ts";
import type { Deps } from "./deps.ts";

/** As whom a user comes in, with the password as the secrets know it. */
export async function knownLogin(
  { state, vault }: Pick<Deps, "state" | "vault">,
  cluster: string,
  attachment: AttachmentRecord | undefined,
  user: string,
): Promise<{ login: string; password?: string }> {
  if (user === "postgres") {
    const secret = await state.secrets.get({ app: cluster, name: "OPERATOR_PASSWORD" });
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
