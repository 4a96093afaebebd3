import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import type { Constraints } from "./name-constraints.ts";
import { run } from "../../host/process/command.ts";
import { ourProgram } from "../../host/process/program.ts";

/**
 * The network's own certificate authority, and a server certificate for each member. `issue.ts` makes them, in a
 * process of its own.
 */
export interface Credentials {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  key: string;
}

/** Whom a server's certificate is for. */
export interface Subject {
  commonName: string;
  names: readonly string[];
  addresses: readonly string[];
}

/**
 * What `issue.ts` is asked: an authority for itself (`root`), a server's certificate under one (`server`), an authority
 * under one that may sign for some names alone (`below`), or one's word for another authority that exists (`cross`: its
 * key is empty). `now` is RFC 3339.
 */
export type Request = { now: string; days: number } & (
  | { kind: "root"; commonName: string }
  | { kind: "server"; authority: Credentials; subject: Subject }
  | { kind: "below"; authority: Credentials; commonName: string; constraints: Constraints }
  | { kind: "cross"; authority: Credentials; certificate: string }
);

const day = 86_400_000;

/** Ten years. */
export const makeAuthority = (commonName: string, now: Date = new Date()): Promise<Credentials> =>
  ask({ kind: "root", commonName, now: now.toISOString(), days: 3650 });

/** Three years. */
export const issueBelow = (
  authority: Credentials,
  commonName: string,
  constraints: Constraints,
  now: Date = new Date(),
): Promise<Credentials> =>
  ask({ kind: "below", authority, commonName, constraints, now: now.toISOString(), days: 1095 });

/**
 * The certificate by which `authority` vouches for another one, PEM. Whoever trusts the first trusts what the other
 * signs.
 */
export const crossSign = async (authority: Credentials, certificate: string, now: Date = new Date()): Promise<string> =>
  (await ask({ kind: "cross", authority, certificate, now: now.toISOString(), days: 3650 })).certificate;

/** One year. */
export const issueCertificate = (
  authority: Credentials,
  subject: Subject,
  now: Date = new Date(),
): Promise<Credentials> => ask({ kind: "server", authority, subject, now: now.toISOString(), days: 365 });

async function ask(request: Request): Promise<Credentials> {
  const { stdout } = await run(ourProgram(import.meta.url, "issue"), {
    input: JSON.stringify(request),
    timeoutMs: 20_000,
  });
  return JSON.parse(stdout) as Credentials;
}

/**
 * Whether a certificate must be made anew: less than 30 days are left, it is another authority's, does not name all it
 * should, has another key, or is none.
 */
export function renewalDue(
  { certificate, key }: Credentials,
  authority: string,
  subject: Subject,
  now: Date = new Date(),
): boolean {
  try {
    const found = new X509Certificate(certificate);
    const named =
      subject.names.every((name) => found.checkHost(name) !== undefined) &&
      subject.addresses.every((address) => found.checkIP(address) !== undefined);
    const ours = found.verify(createPublicKey(authority)) && found.checkPrivateKey(createPrivateKey(key));
    return Date.parse(found.validTo) - now.getTime() < 30 * day || !ours || !named;
  } catch {
    return true; // what cannot be read is made again
  }
}
