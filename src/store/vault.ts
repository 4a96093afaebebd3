/**
 * Secret values at rest: AES-256-GCM under a key that lies beside the store in a file of its own, so that a copy of the store alone tells nothing.
 * What is sealed is bound to its context (`app/NAME`) and cannot be moved to another name. Losing the key file loses the secrets.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { fail } from "../errors/error.ts";
import { permissions, readText, writeWhole } from "../host/files.ts";

export interface Vault {
  /** Base64 of nonce (12 bytes), tag (16) and ciphertext. */
  seal(context: string, value: string): string;
  /** Fails with `state_damaged` under another key, in another context, or when it was changed. */
  open(context: string, sealed: string): string;
  /** 16 hex digits: equal values in one context have equal digests, nothing else shows. */
  digest(context: string, value: string): string;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Reads the key file, or makes it where that is allowed: `mayCreate` only while nothing is sealed. Fails with `key_missing`, `key_unsafe` or
 * `state_damaged`.
 */
export async function openVault(path: string, options: { mayCreate: boolean }): Promise<Vault> {
  if ((await permissions(path)) === undefined) {
    if (!options.mayCreate) throw fail("key_missing", { path });
    await writeWhole(path, `${randomBytes(keyBytes).toString("base64")}\n`);
  }
  const mode = (await permissions(path)) ?? 0;
  if ((mode & 0o077) !== 0) throw fail("key_unsafe", { path, mode: mode.toString(8) });
  return vault(keyIn((await readText(path)) ?? "", path), path);
}

function keyIn(text: string, path: string): Buffer {
  const key = Buffer.from(text.trim(), "base64");
  const whole = key.length === keyBytes && key.toString("base64") === text.trim();
  if (!whole) throw fail("state_damaged", { path, why: "it does not hold 32 bytes in base64" });
  return key;
}

function vault(key: Buffer, path: string): Vault {
  // A key of its own for each use, so that neither says anything about the other.
  const subkey = (purpose: string) => Buffer.from(hkdfSync("sha256", key, "", purpose, keyBytes));
  const sealing = subkey("perch secret sealing");
  const digesting = subkey("perch secret digest");

  return {
    seal(context, value) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", sealing, nonce).setAAD(Buffer.from(context));
      const ciphertext = Buffer.concat([cipher.update(value, "utf8"), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString("base64");
    },
    open(context, sealed) {
      const bytes = Buffer.from(sealed, "base64");
      try {
        const decipher = createDecipheriv("aes-256-gcm", sealing, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
        decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
        return decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, "utf8") + decipher.final("utf8");
      } catch (error) {
        throw fail("state_damaged", { path, why: `secret ${context} was not sealed with this key, or was changed since` }, error);
      }
    },
    digest: (context, value) => createHmac("sha256", digesting).update(`${context}\0${value}`).digest("hex").slice(0, 16),
  };
}
