import { generateKeyPairSync, type KeyObject } from "node:crypto";

/** Keys as WireGuard writes them: the 32 bytes of X25519 in base64. */
export interface KeyPair {
  privateKey: string;
  publicKey: string;
}

export function makeKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { privateKey: textOf(privateKey, "d"), publicKey: textOf(publicKey, "x") };
}

const textOf = (key: KeyObject, part: "d" | "x"): string =>
  Buffer.from(key.export({ format: "jwk" })[part] ?? "", "base64url").toString("base64");
