import { join } from "node:path";
import { fail } from "../../errors/error.ts";
import { exists } from "../../host/files/files.ts";

/**
 * Where the programs that fetch certificates (ACME, RFC 8555) put them: the chain and the key, below the directory that
 * each is given.
 */
const layouts = (hostname: string): [program: string, certificate: string, key: string][] => [
  ["certbot, in live/NAME", "fullchain.pem", "privkey.pem"],
  ["certbot", `live/${hostname}/fullchain.pem`, `live/${hostname}/privkey.pem`],
  ["lego and Caddy", `${hostname}.crt`, `${hostname}.key`],
  ["acme.sh", "fullchain.cer", `${hostname}.key`],
  ["acme.sh", `${hostname}_ecc/fullchain.cer`, `${hostname}_ecc/${hostname}.key`],
  ["acme.sh", `${hostname}/fullchain.cer`, `${hostname}/${hostname}.key`],
];

/** The files of a name in such a directory. Rejects with `certificate_invalid`. */
export async function acmeFiles(directory: string, hostname: string): Promise<{ certificate: string; key: string }> {
  for (const [, ...names] of layouts(hostname)) {
    const [certificate, key] = [join(directory, names[0]), join(directory, names[1])];
    if ((await exists(certificate)) && (await exists(key))) return { certificate, key };
  }
  const known = layouts(hostname).map(([, certificate, key]) => `${certificate} with ${key}`);
  throw fail("certificate_invalid", { path: directory, hostname, why: `there is neither ${known.join(", nor ")}` });
}
