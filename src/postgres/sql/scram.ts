import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";

/**
 * What PostgreSQL keeps in place of a password (RFC 5803). Made here, it is all that travels in SQL: the password
 * itself is in no statement, no log and no pg_stat_activity. Pure but for the salt.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), iterations = 4096): string {
  const salted = pbkdf2Sync(prepare(password), salt, iterations, 32, "sha256");
  const hmac = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${storedKey}:${hmac("Server Key").toString("base64")}`;
}

/** Whether that is what PostgreSQL keeps in place of this password. */
export function verifies(verifier: string, password: string): boolean {
  const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier) ?? [];
  return salt !== undefined && scramVerifier(password, Buffer.from(salt, "base64"), Number(iterations)) === verifier;
}

/**
 * SASLprep (RFC 4013) as far as it changes a password: other spaces become a space, what is invisible goes, the rest is
 * NFKC. libpq leaves a password as it is where it holds what SASLprep forbids or Unicode 3.2 did not have, such as an
 * emoji; above the Basic Multilingual Plane that is decided here.
 */
export function prepare(password: string): string {
  if (
    /^[\x20-\x7e]*$/.test(password) ||
    /\p{Cc}|\p{Co}|\p{Cn}|\p{Cs}/u.test(password) ||
    laterThanUnicode32.test(password)
  )
    return password;
  const mapped = password.replace(otherSpaces, " ").replace(invisible, "").normalize("NFKC");
  return mapped === "" ? password : mapped;
}

const otherSpaces = /[\u{a0}\u{1680}\u{2000}-\u{200b}\u{202f}\u{205f}\u{3000}]/gu;
const invisible =
  /\u{ad}|\u{34f}|\u{1806}|[\u{180b}-\u{180d}]|[\u{200b}-\u{200d}]|\u{2060}|[\u{fe00}-\u{fe0f}]|\u{feff}/gu;
/**
 * Supplementary characters outside the blocks of Unicode 3.2: Old Italic to Deseret, musical and mathematical symbols,
 * CJK extension B and its compatibility.
 */
const laterThanUnicode32 =
  /(?![\u{10300}-\u{1044d}\u{1d000}-\u{1d7ff}\u{20000}-\u{2a6d6}\u{2f800}-\u{2fa1d}])[\u{10000}-\u{10ffff}]/u;
