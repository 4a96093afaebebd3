import { createHash } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";
import { fail } from "../errors/error.ts";
import { fingerprintIn, perchdName } from "../model/token.ts";

/** The perchd of another host, and what proves each to the other. */
export interface Remote {
  host: string;
  port: number;
  /** The certificate of its network's authority, PEM: no other is trusted. */
  authority: string;
  token: string;
}

export const remoteName = ({ host, port }: Pick<Remote, "host" | "port">): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

/** The name that its certificate must have, whatever address leads there. */
export const serverName = perchdName;

export const connectMs = 10_000;

/**
 * The authority that a token speaks of, asked of the server itself. Nothing secret is sent here: what comes is taken
 * only when it has the token's fingerprint, and whether the server has that authority's word is checked by TLS at the
 * next connection, before the token goes out.
 */
export async function fetchAuthority(at: Pick<Remote, "host" | "port">, token: string): Promise<string> {
  const { connect } = await import("node:tls");
  const wanted = fingerprintIn(token);
  const name = remoteName(at);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: at.host,
      port: at.port,
      servername: serverName,
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
    });
    socket.setTimeout(connectMs, () => socket.destroy(new Error(`no answer within ${connectMs / 1000} s`)));
    socket.once("error", (error) => reject(remoteError(error, name)));
    socket.once("secureConnect", () => {
      const found = chain(socket.getPeerCertificate(true)).find(
        (certificate) => fingerprint(certificate.raw) === wanted,
      );
      socket.destroy();
      if (found === undefined)
        reject(fail("remote_untrusted", { host: name, why: "its certificate is of another authority" }));
      else resolve(pem(found.raw));
    });
  });
}

function chain(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const found = new Set<DetailedPeerCertificate>();
  for (
    let at: DetailedPeerCertificate | undefined = leaf;
    at?.raw !== undefined && !found.has(at);
    at = at.issuerCertificate
  )
    found.add(at);
  return [...found];
}

const fingerprint = (der: Buffer): string => createHash("sha256").update(der).digest("base64url");

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${(der.toString("base64").match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;

/** What a failing connection to another host means to a user. */
export function remoteError(error: NodeJS.ErrnoException, host: string) {
  const { code = "" } = error;
  if (/CERT|SIGNATURE|ERR_TLS|ISSUER/.test(code)) return fail("remote_untrusted", { host, why: error.message }, error);
  const why = reasons[code] ?? (/^(EPROTO|ERR_SSL)/.test(code) ? "it speaks no TLS" : error.message);
  return fail("remote_unreachable", { host, why }, error);
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "there is no such name",
  EAI_AGAIN: "its name cannot be looked up",
  EHOSTUNREACH: "no way leads there",
  ENETUNREACH: "no way leads there",
  ECONNRESET: "it closed the connection",
};
