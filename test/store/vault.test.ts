import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openVault } from "../../src/store/vault.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const keyPath = () => join(temporaryDirectory(), "secret.key");
const newVault = () => openVault(keyPath(), { mayCreate: true });
const damaged = expect.objectContaining({ code: "state_damaged" });

describe("the vault", () => {
  it("opens what it sealed, whatever the text", async () => {
    const vault = await newVault();
    for (const value of ["", "a", "postgres://web:p%40ss@pg.internal:5432/web", "\"'\\\n\r\t=", "é 日本 😀", "x".repeat(65_536)]) {
      expect(vault.open("web/URL", vault.seal("web/URL", value))).toBe(value);
    }
  });

  it("seals the same value differently every time and shows nothing of it", async () => {
    const vault = await newVault();
    const sealed = Array.from({ length: 100 }, () => vault.seal("web/URL", "hunter2"));
    expect(new Set(sealed).size).toBe(100);
    expect(sealed.map((text) => Buffer.from(text, "base64").toString("latin1")).join("")).not.toContain("hunter2");
  });

  it("goes on with the same key after a restart", async () => {
    const path = keyPath();
    const sealed = (await openVault(path, { mayCreate: true })).seal("web/URL", "value");
    expect((await openVault(path, { mayCreate: false })).open("web/URL", sealed)).toBe("value");
  });

  it("keeps 32 random bytes in a file that is closed to others", async () => {
    const paths = [keyPath(), keyPath()];
    for (const path of paths) await openVault(path, { mayCreate: true });
    const [one, two] = paths.map((path) => readFileSync(path, "utf8"));
    expect(Buffer.from(one ?? "", "base64")).toHaveLength(32);
    expect(one).not.toBe(two);
    expect((statSync(paths[0] ?? "").mode & 0o777).toString(8)).toBe("600");
  });

  it("does not open what another key sealed", async () => {
    const sealed = (await newVault()).seal("web/URL", "value");
    const other = await newVault();
    expect(() => other.open("web/URL", sealed)).toThrow(damaged);
  });

  it("does not open a value that was moved to another name or app", async () => {
    const vault = await newVault();
    const sealed = vault.seal("web/URL", "value");
    for (const context of ["web/OTHER", "api/URL", "web/UR", ""]) expect(() => vault.open(context, sealed)).toThrow(damaged);
  });

  it("does not open a value of which one bit was changed", async () => {
    const vault = await newVault();
    const sealed = Buffer.from(vault.seal("web/URL", "value"), "base64");
    for (let byte = 0; byte < sealed.length; byte++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8((changed[byte] ?? 0) ^ 1, byte);
      expect(() => vault.open("web/URL", changed.toString("base64"))).toThrow(damaged);
    }
  });

  it("does not open a value that was cut short, not even its tag", async () => {
    const vault = await newVault();
    const sealed = Buffer.from(vault.seal("web/URL", "value"), "base64");
    for (let length = 0; length < sealed.length; length++) {
      expect(() => vault.open("web/URL", sealed.subarray(0, length).toString("base64"))).toThrow(damaged);
    }
  });

  it("says which secret cannot be opened, and nothing of its value", async () => {
    const vault = await newVault();
    const sealed = vault.seal("web/URL", "hunter2");
    expect(() => vault.open("api/URL", sealed)).toThrow(/secret api\/URL was not sealed with this key/);
    expect(() => vault.open("api/URL", sealed)).not.toThrow(/hunter2/);
  });

  it("digests equal values of one name alike, and nothing else", async () => {
    const path = keyPath();
    const vault = await openVault(path, { mayCreate: true });
    const digest = vault.digest("web/URL", "value");
    expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect((await openVault(path, { mayCreate: false })).digest("web/URL", "value")).toBe(digest);
    const others = [
      vault.digest("web/URL", "Value"),
      vault.digest("web/URL2", "value"),
      vault.digest("web", "URL\0value"),
      (await newVault()).digest("web/URL", "value"),
    ];
    expect(new Set([digest, ...others]).size).toBe(5);
  });

  it("refuses a key file that others can read or write", async () => {
    const path = keyPath();
    await openVault(path, { mayCreate: true });
    for (const mode of [0o640, 0o604, 0o660, 0o602, 0o601]) {
      chmodSync(path, mode);
      await expect(openVault(path, { mayCreate: true })).rejects.toMatchObject({
        code: "key_unsafe",
        message: expect.stringContaining(`mode ${mode.toString(8)}`),
      });
    }
    chmodSync(path, 0o400);
    await openVault(path, { mayCreate: false });
  });

  it("makes no new key where secrets are sealed already", async () => {
    const path = keyPath();
    await expect(openVault(path, { mayCreate: false })).rejects.toMatchObject({ code: "key_missing" });
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("refuses a key file that holds no key, and leaves it as it is", async () => {
    for (const text of [
      "",
      "short",
      `${"A".repeat(42)}\n`,
      Buffer.alloc(31).toString("base64"),
      Buffer.alloc(33).toString("base64"),
      "!".repeat(44),
    ]) {
      const path = keyPath();
      writeFileSync(path, text, { mode: 0o600 });
      await expect(openVault(path, { mayCreate: true })).rejects.toMatchObject({ code: "state_damaged" });
      expect(readFileSync(path, "utf8")).toBe(text);
    }
  });
});
