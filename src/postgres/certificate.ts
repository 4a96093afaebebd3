import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { run } from "../host/command.ts";
import { ourProgram } from "../host/program.ts";

/** The network's own certificate authority, and a server certificate for each member. `issue.ts` makes them, in a process of its own. */
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

/** What `issue.ts` is asked: an authority for itself, or a certificate under one. `now` is RFC 3339. */
export type Request = { now: string; days: number } & ({ authority?: undefined; commonName: string } | { authority: Credentials; subject: Subject });

const day = 86_400_000;

/** Ten years. */
export const makeAuthority = (commonName: string, now: Date = new Date()): Promise<Credentials> =>
  ask({ commonName, now: now.toISOString(), days: 3650 });

/** One year. */
export const issueCertificate = (authority: Credentials, subject: Subject, now: Date = new Date()): Promise<Credentials> =>
  ask({ authority, subject, now: now.toISOString(), days: 365 });

async function ask(request: Request): Promise<Credentials> {
  const { stdout } = await run(ourProgram(import.meta.url, "issue"), { input: JSON.stringify(request), timeoutMs: 20_000 });
  return JSON.parse(stdout) as Credentials;
}

/** Whether a certificate must be made anew: less than 30 days are left, it is another authority's, does not name all it should, has another key, or is none. */
export function renewalDue({ certificate, key }: Credentials, authority: string, subject: Subject, now: Date = new Date()): boolean {
  try {
    const found = new X509Certificate(certificate);
    const named =
      subject.names.every((name) => found.checkHost(name) !== undefined) &&
      subject.addresses.every((address) => found.checkIP(address) !== undefined);
    const ours = found.verify(createPublicKey(authority)) && found.checkPrivateKey(createPrivateKey(key));
    return Date.parse(found.validTo) - now.getTime() < 30 * day || !ours || !named;
  } catch {
    return true;
  }
}
