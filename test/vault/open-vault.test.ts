import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nextKeyFile } from "../../src/vault/key-file.ts";
import { newSecretKey } from "../../src/vault/secret-key.ts";
import { sealedState, values, valuesOf } from "../store/sealed-state.ts";

describe("opening the vault", () => {
  it("makes a key where nothing is sealed, in a file that is closed to others, and goes on with it", async () => {
    const at = await sealedState();
    expect((statSync(at.file.path).mode & 0o777).toString(8)).toBe("600");
    expect(await valuesOf(await at.restart())).toEqual(values);
  });

  it("reads a state of before the key was written down", async () => {
    const at = await sealedState();
    await at.state.key.remove({});
    const later = await at.restart();
    expect(await valuesOf(later)).toEqual(values);
    expect((await later.state.key.get({}))?.id).toBe((await later.file.read())?.id);
  });

  it("makes no new key where secrets are sealed already", async () => {
    const at = await sealedState();
    rmSync(at.file.path);
    await expect(at.restart()).rejects.toMatchObject({ code: "key_missing" });
    expect(statSync(at.file.path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it("says that a whole key is not the one, also in a state of before the key was written down", async () => {
    for (const old of [false, true]) {
      const at = await sealedState();
      if (old) await at.state.key.remove({});
      const other = newSecretKey();
      await at.file.write(other);
      await expect(at.restart()).rejects.toMatchObject({ code: "key_wrong" });
      expect(readFileSync(at.file.path, "utf8")).toBe(other.text);
    }
  });

  it("says what is wrong with a file that holds no key, and leaves it as it is", async () => {
    const at = await sealedState();
    const whole = readFileSync(at.file.path, "utf8");
    for (const text of ["", whole.slice(0, 20), whole.slice(0, -2), `${whole}${whole}`]) {
      writeFileSync(at.file.path, text);
      await expect(at.restart()).rejects.toMatchObject({ code: "key_damaged" });
      expect(readFileSync(at.file.path, "utf8")).toBe(text);
    }
  });

  it("refuses a file that others can read or write", async () => {
    const at = await sealedState();
    for (const mode of [0o640, 0o604, 0o660, 0o602, 0o601]) {
      chmodSync(at.file.path, mode);
      await expect(at.restart()).rejects.toMatchObject({
        code: "key_unsafe",
        message: expect.stringContaining(`mode ${mode.toString(8)}`),
      });
    }
    chmodSync(at.file.path, 0o400);
    expect(await valuesOf(await at.restart())).toEqual(values);
  });

  it("says why a file cannot be read", async () => {
    const at = await sealedState();
    rmSync(at.file.path);
    mkdirSync(at.file.path, { mode: 0o700 });
    await expect(at.restart()).rejects.toMatchObject({
      code: "key_unreadable",
      message: expect.stringContaining("it is a directory"),
    });
  });

  it("says the same of the next key while it is the one that is needed", async () => {
    const at = await sealedState();
    const next = nextKeyFile(at.file);
    await at.state.key.update({}, () => ({ id: newSecretKey().id }));
    await next.write(newSecretKey());
    await expect(at.restart()).rejects.toMatchObject({ code: "key_wrong" });
    writeFileSync(next.path, "cut sh");
    await expect(at.restart()).rejects.toMatchObject({
      code: "key_damaged",
      message: expect.stringContaining("secret.key.next"),
    });
  });
});
