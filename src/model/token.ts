import { fail } from "../errors/error.ts";

/**
 * A token as text: `perch_` and 256 random bits, a dot, and the SHA-256 of the certificate of the authority that the
 * server must prove to have. So whoever has the token knows whom to give it to. Pure.
 */
const shape = /^perch_[\w-]{43}\.([\w-]{43})$/;

const day = 86_400_000;
/** Milliseconds that a token lasts unless told, and at most. */
export const tokenLasts = { defaultMs: 90 * day, mostMs: 365 * day } as const;

export const tokenText = (secret: string, fingerprint: string): string => `perch_${secret}.${fingerprint}`;

/** The authority's fingerprint in a token. Throws token_malformed, without the text. */
export function fingerprintIn(token: string): string {
  const [, fingerprint] = shape.exec(token) ?? [];
  if (fingerprint === undefined) throw fail("token_malformed", {});
  return fingerprint;
}

/**
 * The name in the server's certificate that perch asks for, whatever address leads there. No app has it, so no member's
 * certificate does.
 */
export const perchdName = "_perchd.internal";
