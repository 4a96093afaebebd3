import { describe, expect, it } from "vitest";
import { newSecretKey, parseSecretKey } from "../../src/vault/secret-key.ts";

const key = newSecretKey();
const path = "/home/secret.key";

describe("the secret key", () => {
  it("opens what it sealed, whatever the text", () => {
    for (const value of [
      "",
      "a",
      "postgres://web:p%40ss@pg.internal:5432/web",
      "\"'\\\n\r\t=",
      "é 日本 😀",
      "x".repeat(65_536),
    ])
      expect(key.open("web/URL", key.seal("web/URL", value))).toBe(value);
  });

  it("seals the same value differently every time and shows nothing of it", () => {
    const sealed = Array.from({ length: 100 }, () => key.seal("web/URL", "hunter2"));
    expect(new Set(sealed).size).toBe(100);
    expect(sealed.map((text) => Buffer.from(text, "base64").toString("latin1")).join("")).not.toContain("hunter2");
  });

  it("does not open what another key sealed", () => {
    expect(newSecretKey().open("web/URL", key.seal("web/URL", "value"))).toBeUndefined();
  });

  it("does not open a value that was moved to another name or app", () => {
    const sealed = key.seal("web/URL", "value");
    for (const context of ["web/OTHER", "api/URL", "web/UR", ""]) expect(key.open(context, sealed)).toBeUndefined();
  });

  it("does not open a value of which one bit was changed", () => {
    const sealed = Buffer.from(key.seal("web/URL", "value"), "base64");
    for (let byte = 0; byte < sealed.length; byte++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8((changed[byte] ?? 0) ^ 1, byte);
      expect(key.open("web/URL", changed.toString("base64"))).toBeUndefined();
    }
  });

  it("does not open a value that was cut short, not even its tag", () => {
    const sealed = Buffer.from(key.seal("web/URL", "value"), "base64");
    for (let length = 0; length < sealed.length; length++)
      expect(key.open("web/URL", sealed.subarray(0, length).toString("base64"))).toBeUndefined();
  });

  it("digests equal values of one name alike, and nothing else", () => {
    const digest = key.digest("web/URL", "value");
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(parseSecretKey(key.text, path).digest("web/URL", "value")).toBe(digest);
    const others = [
      key.digest("web/URL", "Value"),
      key.digest("web/URL2", "value"),
      key.digest("web", "URL\0value"),
      newSecretKey().digest("web/URL", "value"),
    ];
    expect(new Set([digest, ...others]).size).toBe(5);
  });

  it("is 32 random bytes in base64, and known by an id that is no part of them", () => {
    const other = newSecretKey();
    expect(Buffer.from(key.text, "base64")).toHaveLength(32);
    expect(other.text).not.toBe(key.text);
    expect(parseSecretKey(key.text, path)).toMatchObject({ id: key.id, text: key.text });
    expect(other.id).not.toBe(key.id);
    expect(Buffer.from(key.text, "base64").toString("hex")).not.toContain(key.id);
  });

  it.each([
    "",
    "\n",
    "short",
    `${"A".repeat(42)}\n`,
    Buffer.alloc(31).toString("base64"),
    Buffer.alloc(33).toString("base64"),
    "!".repeat(44),
  ])("is not found in a text that holds no key: %j", (text) => {
    expect(() => parseSecretKey(text, path)).toThrow(expect.objectContaining({ code: "key_damaged" }));
    expect(() => parseSecretKey(text, path)).toThrow(text.trim() === "" ? "it is empty" : "32 bytes in base64");
  });
});
