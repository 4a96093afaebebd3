import { randomBytes } from "node:crypto";

/** 24 characters of 62: 142 bits, and none that a URL or a shell would change. */
export function randomPassword(): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const bytes = [...randomBytes(96)].filter((byte) => byte < 248);
  return bytes
    .slice(0, 24)
    .map((byte) => letters[byte % 62])
    .join("");
}
