import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { expect, it } from "vitest";
import { makeKeyPair } from "../../src/base/x25519.ts";

const raw = (text: string) => Buffer.from(text, "base64").toString("base64url");
const privateKey = ({ privateKey: d, publicKey: x }: ReturnType<typeof makeKeyPair>) =>
  createPrivateKey({ key: { kty: "OKP", crv: "X25519", d: raw(d), x: raw(x) }, format: "jwk" });
const publicKey = ({ publicKey: x }: ReturnType<typeof makeKeyPair>) =>
  createPublicKey({ key: { kty: "OKP", crv: "X25519", x: raw(x) }, format: "jwk" });

it("makes keys of 32 bytes in base64, as WireGuard writes them, and no pair twice", () => {
  const pairs = Array.from({ length: 50 }, makeKeyPair);
  const keys = pairs.flatMap((pair) => [pair.privateKey, pair.publicKey]);
  expect(new Set(keys).size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/);
});

it("makes halves that belong together: two of them agree on a secret", () => {
  const [one, other] = [makeKeyPair(), makeKeyPair()];
  const secret = diffieHellman({ privateKey: privateKey(one), publicKey: publicKey(other) });
  expect(secret).toEqual(diffieHellman({ privateKey: privateKey(other), publicKey: publicKey(one) }));
  expect(createPublicKey(privateKey(one)).export({ format: "jwk" })).toEqual(publicKey(one).export({ format: "jwk" }));
});
