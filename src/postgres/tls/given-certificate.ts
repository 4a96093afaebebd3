import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext, rootCertificates } from "node:tls";
import { fail } from "../../errors/error.ts";
import { readText } from "../../host/files/files.ts";

/** A certificate that was made elsewhere, by Let's Encrypt say, as it lies in files now. */
export interface GivenCertificate {
  /** The chain as given, PEM. */
  certificate: string;
  key: string;
  /** The authority at its end, PEM: what replicas verify their leader by. */
  root: string;
  /** RFC 3339. */
  notAfter: string;
}

/**
 * Rejects with `certificate_invalid` where PostgreSQL, or a client that verifies, would refuse it. The key is shown
 * nowhere.
 */
export async function readGiven(
  files: { certificate: string; key: string },
  hostname: string,
  now = new Date(),
): Promise<GivenCertificate> {
  const refuse = (path: string, why: string, cause?: unknown) =>
    fail("certificate_invalid", { path, hostname, why }, cause);
  const read = async (path: string): Promise<string> => {
    const text = await readText(path).catch((error: NodeJS.ErrnoException) => {
      throw refuse(path, `it cannot be read (${error.code ?? "unknown"})`, error);
    });
    if (text === undefined) throw refuse(path, "it is not there");
    return text;
  };
  const [certificate, key] = await Promise.all([read(files.certificate), read(files.key)]);
  const chain = chainOf(certificate);
  const [leaf] = chain;
  if (leaf === undefined) throw refuse(files.certificate, "it holds no certificate in PEM");
  let secret: KeyObject;
  try {
    secret = createPrivateKey(key);
  } catch (error) {
    throw refuse(files.key, "it holds no private key in PEM without a passphrase", error);
  }
  if (!leaf.checkPrivateKey(secret)) throw refuse(files.key, "it is the key of another certificate");
  if (leaf.checkHost(hostname) === undefined)
    throw refuse(files.certificate, `the certificate is for ${leaf.subjectAltName ?? leaf.subject}`);
  if (Date.parse(leaf.validTo) <= now.getTime()) throw refuse(files.certificate, `it expired at ${leaf.validTo}`);
  if (Date.parse(leaf.validFrom) > now.getTime())
    throw refuse(files.certificate, `it is not valid before ${leaf.validFrom}`);
  try {
    createSecureContext({ cert: certificate, key });
  } catch (error) {
    // As OpenSSL reads it, which is how PostgreSQL will.
    throw refuse(
      files.certificate,
      `it cannot be loaded (${error instanceof Error ? error.message : String(error)})`,
      error,
    );
  }
  const root = rootOf(chain);
  if (root === undefined)
    throw refuse(
      files.certificate,
      "its chain does not lead to a known authority; put the authority's own certificate at its end",
    );
  return { certificate, key, root: root.toString(), notAfter: new Date(leaf.validTo).toISOString() };
}

/** The certificates of a PEM file, in its order; none where one of them is broken. */
function chainOf(pem: string): X509Certificate[] {
  try {
    return (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map(
      (block) => new X509Certificate(block),
    );
  } catch {
    return []; // the caller names what a chain must be
  }
}

const signedBy = (certificate: X509Certificate, authority: X509Certificate): boolean =>
  certificate.checkIssued(authority) && certificate.verify(authority.publicKey);

/** From the leaf upwards, to one that signed itself: in the file, or among the authorities that Node.js knows. */
function rootOf([leaf, ...others]: readonly X509Certificate[]): X509Certificate | undefined {
  let top = leaf;
  for (let steps = 0; top !== undefined && steps < 10; steps++) {
    const current = top;
    if (signedBy(current, current)) return current;
    const next = others.find((other) => signedBy(current, other));
    if (next === undefined) break;
    top = next;
  }
  if (top === undefined) return undefined;
  const highest = top;
  for (const pem of rootCertificates) {
    const root = new X509Certificate(pem);
    if (signedBy(highest, root)) return root;
  }
  return undefined;
}
