import { describe, expect, it } from "vitest";
import { newSecretKey } from "../../src/vault/secret-key.ts";
import { vaultOf } from "../../src/vault/vault.ts";

const key = newSecretKey();
const newVault = () => vaultOf(key, "/home/secret.key");

describe("the vault", () => {
  it("says which secret cannot be opened, and nothing of its value", async () => {
    const vault = newVault();
    const sealed = await vault.sealing(async ({ seal }) => seal("web/URL", "hunter2"));
    expect(vault.open("web/URL", sealed)).toBe("hunter2");
    expect(() => vault.open("api/URL", sealed)).toThrow(expect.objectContaining({ code: "state_damaged" }));
    expect(() => vault.open("api/URL", sealed)).toThrow(/secret api\/URL was not sealed with this key/);
    expect(() => vault.open("api/URL", sealed)).not.toThrow(/hunter2/);
  });

  it("changes its key when nobody is sealing, and opens before, meanwhile and afterwards what either sealed", async () => {
    const vault = newVault();
    const next = newSecretKey();
    const old = key.seal("web/A", "old");
    const told: string[] = [];
    let kept: () => void = () => undefined;
    const sealing = vault.sealing(async () => {
      await new Promise<void>((resolve) => (kept = resolve));
      told.push("kept");
    });
    const exchange = vault.exchange(next, async (now) => {
      told.push("exchange");
      expect(now.id).toBe(key.id);
      expect([vault.open("web/A", old), vault.open("web/A", next.seal("web/A", "new"))]).toEqual(["old", "new"]);
    });
    const later = vault.sealing(async ({ seal }) => next.open("web/A", seal("web/A", "later")));
    kept();
    await Promise.all([sealing, exchange]);
    expect(told).toEqual(["kept", "exchange"]);
    expect(await later).toBe("later");
    expect(vault.open("web/A", old)).toBe("old");
  });

  it("keeps its key when the change of it fails", async () => {
    const vault = newVault();
    const next = newSecretKey();
    await expect(vault.exchange(next, () => Promise.reject(new Error("the disk is full")))).rejects.toThrow(
      "the disk is full",
    );
    expect(key.open("web/A", await vault.sealing(async ({ seal }) => seal("web/A", "value")))).toBe("value");
    expect(() => vault.open("web/A", next.seal("web/A", "value"))).toThrow("was not sealed with this key");
  });
});
