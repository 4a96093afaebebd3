// oxlint-disable-next-line import/no-unassigned-import -- the library for certificates wants it loaded first
import "reflect-metadata";
import { webcrypto, X509Certificate as NodeCertificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { Credentials, Subject } from "./certificate.ts";
import { type Constraints, nameConstraintsDer, nameConstraintsId } from "./name-constraints.ts";

/**
 * Certificates (RFC 5280, P-256) made with the library for it. Only the program `issue.ts` loads this room's heaviest
 * import.
 */

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const day = 86_400_000;
/** An hour ago: the other side's clock may be behind. */
const validity = (now: Date, days: number) => ({
  notBefore: new Date(now.getTime() - 3_600_000),
  notAfter: new Date(now.getTime() + days * day),
});

export async function selfSigned(commonName: string, now: Date, days: number): Promise<Credentials> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    ...validity(now, days),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: await privatePem(keys.privateKey) };
}

export async function signed(authority: Credentials, subject: Subject, now: Date, days: number): Promise<Credentials> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const extensions = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([
      ...subject.names.map((value) => ({ type: "dns" as const, value })),
      ...subject.addresses.map((value) => ({ type: "ip" as const, value })),
    ]),
  ];
  const certificate = await under(authority, [{ CN: [subject.commonName] }], keys.publicKey, extensions, now, days);
  return { certificate, key: await privatePem(keys.privateKey) };
}

/** An authority that has no other below it, and may sign for these names and addresses alone. */
export async function below(
  authority: Credentials,
  commonName: string,
  constraints: Constraints,
  now: Date,
  days: number,
): Promise<Credentials> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const extensions = [
    new x509.BasicConstraintsExtension(true, 0, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    new x509.Extension(nameConstraintsId, true, nameConstraintsDer(constraints)),
  ];
  const certificate = await under(authority, [{ CN: [commonName] }], keys.publicKey, extensions, now, days);
  return { certificate, key: await privatePem(keys.privateKey) };
}

/** The name and the key of another authority, under this one. */
export async function crossSigned(
  authority: Credentials,
  other: string,
  now: Date,
  days: number,
): Promise<Credentials> {
  const found = new x509.X509Certificate(other);
  const extensions = [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
  const publicKey = await webcrypto.subtle.importKey("spki", found.publicKey.rawData, algorithm, true, ["verify"]);
  return { certificate: await under(authority, found.subject, publicKey, extensions, now, days), key: "" };
}

async function under(
  authority: Credentials,
  subject: x509.X509CertificateCreateParamsName,
  publicKey: webcrypto.CryptoKey,
  extensions: x509.Extension[],
  now: Date,
  days: number,
): Promise<string> {
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    x509.PemConverter.decodeFirst(authority.key),
    algorithm,
    false,
    ["sign"],
  );
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: new NodeCertificate(authority.certificate).subject,
    publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    ...validity(now, days),
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(new x509.X509Certificate(authority.certificate), false),
    ],
  });
  return certificate.toString("pem");
}

const privatePem = async (key: webcrypto.CryptoKey): Promise<string> =>
  x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
