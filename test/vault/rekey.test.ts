import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { nextKeyFile } from "../../src/vault/key-file.ts";
import { state as stateOf } from "../../src/store/records.ts";
import { forgetOldKey, rekey } from "../../src/vault/rekey.ts";
import { everySealed } from "../../src/vault/sealed.ts";
import { sealedSecret } from "../../src/vault/sealed-secret.ts";
import { newSecretKey } from "../../src/vault/secret-key.ts";
import { shapes } from "../../src/store/shapes.ts";
import type { Store } from "../../src/store/store.ts";
import { type SealedState, sealedState, values, valuesOf } from "../store/sealed-state.ts";

/** All bytes that lie beside the store and its key. */
const onDisk = ({ path }: SealedState): string =>
  readdirSync(dirname(path))
    .map((name) => readFileSync(join(dirname(path), name), "latin1"))
    .join("\n");
const sealedTexts = async ({ state }: SealedState) =>
  (await everySealed(state)).flatMap(({ parts }) => parts).map(({ sealed }) => sealed);

class Killed extends Error {}

/** The same, killed just before or just after one of its calls of the store: nothing that comes later happens. */
function killedAt(store: Store, call: "txn" | "forget", when: "before" | "after"): Store {
  const dying = async <T>(work: () => Promise<T>): Promise<T> => {
    if (when === "after") await work();
    throw new Killed();
  };
  const own = bound(store);
  return call === "txn"
    ? { ...own, txn: (compare, writes) => dying(() => own.txn(compare, writes)) }
    : { ...own, forget: (revision) => dying(() => own.forget(revision)) };
}

describe("a new secret key", () => {
  it("reaches everything that is sealed, wherever a record has it", async () => {
    const withSealed = Object.entries(shapes).filter(([, shape]) =>
      JSON.stringify(z.toJSONSchema(shape)).includes('"sealed"'),
    );
    expect(withSealed.map(([name]) => name).toSorted()).toEqual(["network", "rotation", "secret"]);
    expect(
      (await everySealed((await sealedState()).state))
        .flatMap(({ parts }) => parts)
        .map(({ context }) => context)
        .toSorted(),
    ).toEqual(Object.keys(values).toSorted());
  });

  it("opens every value, which the old one does no more, and leaves all else in the records as it was", async () => {
    const at = await sealedState();
    const old = await at.file.read();
    const before = await at.state.secrets.list();
    expect(await rekey(at)).toBe(4);
    expect(await valuesOf(at)).toEqual(values);
    const now = await at.restart();
    expect(await valuesOf(now)).toEqual(values);
    for (const { context, sealed } of (await everySealed(now.state)).flatMap(({ parts }) => parts))
      expect(old?.open(context, sealed)).toBeUndefined();
    const rest = (records: typeof before) => records.map(({ app, name, updatedAt }) => ({ app, name, updatedAt }));
    const after = await now.state.secrets.list();
    expect(rest(after)).toEqual(rest(before));
    expect(after.map(({ digest }) => digest)).not.toEqual(before.map(({ digest }) => digest));
    expect(existsSync(nextKeyFile(at.file).path)).toBe(false);
  });

  it("leaves nothing on the disk that the old one opens, nor the old one", async () => {
    const at = await sealedState();
    const gone = [readFileSync(at.file.path, "latin1").trim(), ...(await sealedTexts(at))];
    // A value that was unset and one that was set over lie on in the history.
    await at.state.secrets.remove({ app: "web", name: "TOKEN" });
    for (const text of gone) expect(onDisk(at)).toContain(text);
    await rekey(at);
    for (const text of gone) expect(onDisk(at)).not.toContain(text);
    await at.store.close();
    for (const text of gone) expect(onDisk(at)).not.toContain(text);
  });

  it("may be made again and again while others seal, and loses none of theirs", async () => {
    const at = await sealedState();
    const set = (count: number) =>
      at.vault.sealing((sealer) =>
        at.state.commit([], [at.state.secrets.put(sealedSecret(sealer, "web", `N${count}`, `value ${count}`))]),
      );
    const setting = (async () => {
      for (let count = 0; count < 200; count++) await set(count);
    })();
    for (let count = 0; count < 10; count++) await rekey(at);
    await setting;
    await rekey(at);
    const opened = await valuesOf(await at.restart());
    expect(Object.keys(opened)).toHaveLength(204);
    for (let count = 0; count < 200; count++) expect(opened[`web/N${count}`]).toBe(`value ${count}`);
  });

  it("is begun anew when a record goes or changes meanwhile", async () => {
    const at = await sealedState();
    let first = true;
    const store: Store = {
      ...bound(at.store),
      async txn(compare, writes) {
        if (first) {
          first = false;
          await at.state.secrets.remove({ app: "web", name: "TOKEN" });
        }
        return at.store.txn(compare, writes);
      },
    };
    expect(await rekey({ ...at, state: stateOf(store) })).toBe(3);
    expect(await at.state.secrets.get({ app: "web", name: "TOKEN" })).toBeUndefined();
  });

  it("heals a key file that was lost or spoiled while perchd ran", async () => {
    const at = await sealedState();
    rmSync(at.file.path);
    await rekey(at);
    expect(await valuesOf(await at.restart())).toEqual(values);
  });

  it("is not made while a value does not open: nothing is changed", async () => {
    const at = await sealedState();
    const strange = sealedSecret(newSecretKey(), "web", "STRANGE", "value");
    await at.state.secrets.create(strange);
    await expect(rekey(at)).rejects.toMatchObject({
      code: "secret_damaged",
      message: expect.stringContaining("web/STRANGE"),
    });
    await at.state.secrets.remove(strange);
    expect(await valuesOf(at)).toEqual(values);
    expect(await valuesOf(await at.restart())).toEqual(values);
    expect(existsSync(nextKeyFile(at.file).path)).toBe(false);
  });
});

describe("a perchd that was killed while it changed the key", () => {
  it.each([
    ["before the next key is on disk", undefined, false],
    ["before all is sealed anew", { call: "txn", when: "before" }, false],
    ["when all is sealed anew", { call: "txn", when: "after" }, true],
    ["before the history is forgotten", { call: "forget", when: "before" }, true],
    ["when the history is forgotten", { call: "forget", when: "after" }, true],
  ] as const)("%s: the next one has one key, opens all, and nothing of the other is left", async (_, kill, forward) => {
    const at = await sealedState();
    const old = { text: readFileSync(at.file.path, "utf8").trim(), sealed: await sealedTexts(at) };
    if (kill === undefined) await nextKeyFile(at.file).write(newSecretKey());
    else {
      const store = killedAt(at.store, kill.call, kill.when);
      await expect(rekey({ ...at, store, state: stateOf(store) })).rejects.toThrow(Killed);
    }
    const next = await at.restart();
    expect(await valuesOf(next)).toEqual(values);
    expect(await forgetOldKey(next)).toBe(forward);
    expect(existsSync(nextKeyFile(at.file).path)).toBe(false);
    expect(readFileSync(at.file.path, "utf8").trim() === old.text).toBe(!forward);
    if (forward) for (const text of [old.text, ...old.sealed]) expect(onDisk(next)).not.toContain(text);
    expect(await forgetOldKey(next)).toBe(false);
    await rekey(next);
    expect(await valuesOf(await next.restart())).toEqual(values);
  });
});

const bound = (store: Store): Store => ({
  get: (key) => store.get(key),
  range: (prefix) => store.range(prefix),
  txn: (compare, writes) => store.txn(compare, writes),
  watch: (...watch) => store.watch(...watch),
  forget: (revision) => store.forget(revision),
  close: () => store.close(),
});
