import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { fail } from "../errors/error.ts";

/** The key of all secrets, and what is done with it: AES-256-GCM, bound to a context. Pure but for the nonces. */
export interface SecretKey {
  /** 16 hex digits that tell it from others, and nothing of it. */
  readonly id: string;
  /** As it stands in its file: base64, a newline. */
  readonly text: string;
  /** Base64 of nonce (12 bytes), tag (16) and ciphertext. */
  seal(context: string, value: string): string;
  /** Undefined under another key, in another context, or when it was changed. */
  open(context: string, sealed: string): string | undefined;
  /** 16 hex digits: equal values in one context have equal digests under one key, nothing else shows. */
  digest(context: string, value: string): string;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

export const newSecretKey = (): SecretKey => secretKey(randomBytes(keyBytes));

/** The key in the text of its file. Throws `key_damaged`. */
export function parseSecretKey(text: string, path: string): SecretKey {
  const key = Buffer.from(text.trim(), "base64");
  const whole = key.length === keyBytes && key.toString("base64") === text.trim();
  const why = text.trim() === "" ? "it is empty" : "it does not hold 32 bytes in base64";
  if (!whole) throw fail("key_damaged", { path, why });
  return secretKey(key);
}

function secretKey(key: Buffer): SecretKey {
  // A key of its own for each use, so that none says anything about another.
  const subkey = (purpose: string) => Buffer.from(hkdfSync("sha256", key, "", purpose, keyBytes));
  const sealing = subkey("perch secret sealing");
  const digesting = subkey("perch secret digest");

  return {
    id: subkey("perch secret key id").toString("hex").slice(0, 16),
    text: `${key.toString("base64")}\n`,
    seal(context, value) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", sealing, nonce).setAAD(Buffer.from(context));
      const ciphertext = Buffer.concat([cipher.update(value, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString("base64");
    },
    open(context, sealed) {
      const bytes = Buffer.from(sealed, "base64");
      try {
        const decipher = createDecipheriv("aes-256-gcm", sealing, bytes.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
        return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, "utf8") + decipher.final("utf8");
      } catch {
        return undefined; // another key, another context or a changed text: the caller says which secret
      }
    },
    digest: (context, value) =>
      createHmac("sha256", digesting).update(`${context}\0${value}`).digest("hex").slice(0, 16),
  };
}
