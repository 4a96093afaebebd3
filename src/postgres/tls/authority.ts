import { X509Certificate } from "node:crypto";
import { type Credentials, renewalDue, type Subject } from "./certificate.ts";
import { type Constraints, permits } from "./name-constraints.ts";

/**
 * Who vouches for the network's servers. The root is what clients trust; it signs the authority below it, which may
 * sign for names and addresses of the network alone and does so day by day, and the certificates of public names. A
 * root that was replaced vouches for the next one, so that who trusts it trusts on.
 */
export interface Authority {
  /** The root, PEM. */
  readonly certificate: string;
  /** The root, and those before it, PEM: what members trust, and what a caller from elsewhere may know. */
  readonly trusted: string;
  /**
   * SHA-256 of the certificate, base64url, by which a token names this network: of the oldest root that is trusted, so
   * that no login ends with a new one.
   */
  readonly fingerprint: string;
  /** Changes with any of the certificates. */
  readonly mark: string;
  /** With the whole chain below the root. One year. */
  issue(subject: Subject): Promise<Credentials>;
  /** Whether what is served must be made again. */
  due(served: Credentials, subject: Subject): boolean;
  /** A new authority below the root, or a new root, too. Servers are certified again by whoever asks `due`. */
  rotate(what: { root: boolean }): Promise<void>;
}

/** The certificates of an authority, PEM. */
export interface Chain {
  root: string;
  below: string;
  /** The roots before, each with its word for this one, the newest first. */
  former: readonly { certificate: string; cross: string }[];
}

/** What the authority below the root may sign for: names and addresses of this network and of this host. */
export const constraintsOf = (prefix: string): Constraints => ({
  domains: ["internal", "flycast", "localhost"],
  networks: [`${prefix}::/48`, "127.0.0.0/8", "::1/128"],
});

const lines = (...pem: readonly string[]): string => pem.map((one) => `${one.trimEnd()}\n`).join("");

/** What a server sends after its own certificate. Pure. */
export const chainText = ({ below, former }: Chain, constrained: boolean): string =>
  lines(...(constrained ? [below] : []), ...former.map(({ cross }) => cross));

export const trustedText = ({ root, former }: Chain): string =>
  lines(root, ...former.map(({ certificate }) => certificate));

export const fingerprintOf = ({ root, former }: Chain): string =>
  Buffer.from(
    new X509Certificate(former.at(-1)?.certificate ?? root).fingerprint256.replaceAll(":", ""),
    "hex",
  ).toString("base64url");

/** Whether `served` is not what this chain would issue now. Pure. */
export function chainDue(
  served: Credentials,
  chain: Chain,
  constraints: Constraints,
  subject: Subject,
  now: Date = new Date(),
): boolean {
  const constrained = permits(constraints, subject);
  const issuer = constrained ? chain.below : chain.root;
  return !served.certificate.endsWith(chainText(chain, constrained)) || renewalDue(served, issuer, subject, now);
}

/** A certificate of a year must end before what signed it. */
export const endsWithin = (certificate: string, days: number, now: Date = new Date()): boolean =>
  Date.parse(new X509Certificate(certificate).validTo) - now.getTime() < days * 86_400_000;
