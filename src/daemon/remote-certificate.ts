import { join } from "node:path";
import { makeDirectory, readText, writeWhole } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import { parseAddress } from "../model/address.ts";
import { isEverywhere, isIPv4, parseListen } from "../model/exposure.ts";
import type { RemoteRecord } from "../model/records.ts";
import { perchdName } from "../model/token.ts";
import type { Authority } from "../postgres/tls/authority.ts";
import type { Credentials, Subject } from "../postgres/tls/certificate.ts";

/** `_perchd.internal` for perch, and what other clients dial. */
export function subjectOf({ listen, hostnames }: RemoteRecord): Subject {
  const at = parseListen(listen, "--listen");
  const isAddress = (name: string) => isIPv4(name) || parseAddress(name) !== undefined;
  return {
    commonName: "perchd",
    names: [perchdName, ...hostnames.filter((name) => !isAddress(name))],
    addresses: [...new Set([...(isEverywhere(at) ? [] : [at.host]), ...hostnames.filter(isAddress)])],
  };
}

/**
 * What leads to it, as a `Host` header has it: the names it certifies, and the address that was dialled where it
 * listens on all of them.
 */
export function hostsOf(wish: RemoteRecord, local: string | undefined): string[] {
  const { names, addresses } = subjectOf(wish);
  const dialled =
    isEverywhere(parseListen(wish.listen, "--listen")) && local !== undefined ? [local.replace(/^::ffff:/, "")] : [];
  return [...names, ...addresses, ...dialled].map((name) => name.toLowerCase());
}

/** The one that was made before, while it serves. */
export async function certificateFor(
  { home, authority }: { home: Home; authority: Authority },
  wish: RemoteRecord,
): Promise<Credentials> {
  const paths = { certificate: join(home.root, "ca", "perchd.crt"), key: join(home.root, "ca", "perchd.key") };
  const subject = subjectOf(wish);
  const [certificate, key] = await Promise.all([readText(paths.certificate), readText(paths.key)]);
  if (certificate !== undefined && key !== undefined && !authority.due({ certificate, key }, subject))
    return { certificate, key };
  const made = await authority.issue(subject);
  await makeDirectory(join(home.root, "ca"));
  await writeWhole(paths.key, made.key);
  await writeWhole(paths.certificate, made.certificate, { mode: 0o644 });
  return made;
}
