import { fail } from "../errors/error.ts";
import { chooseKey } from "./key-choice.ts";
import { dropNext, type KeyFile, nextKeyFile, takeNext } from "./key-file.ts";
import type { State } from "../store/records.ts";
import { everySealed, type Sealed } from "./sealed.ts";
import { newSecretKey, type SecretKey } from "./secret-key.ts";
import { type Vault, vaultOf } from "./vault.ts";

/**
 * The vault of a store, with the key that what is sealed there needs: a change of key that was begun is gone on with,
 * or was never begun. A new key is made only while nothing is sealed. Rejects with `key_missing`, `key_wrong`,
 * `key_damaged`, `key_unsafe` or `key_unreadable`.
 */
export async function openVault(file: KeyFile, state: State): Promise<Vault> {
  return vaultOf(await settleKey(file, state), file.path);
}

/** Leaves one key file, the right one, and the store saying which that is. */
export async function settleKey(file: KeyFile, state: State): Promise<SecretKey> {
  const [record, sealed, next] = await Promise.all([state.key.get({}), everySealed(state), nextKeyFile(file).read()]);
  // When the next key is the right one, it does not matter what lies where it belongs.
  const now = next !== undefined && next.id === record?.id ? undefined : await file.read();
  const choice = chooseKey({ now: now?.id, next: next?.id, needed: record?.id, sealed: sealed.length > 0 });
  if (choice === "missing") throw fail("key_missing", { path: file.path });
  if (choice === "wrong" || (record === undefined && now !== undefined && !opensAll(now, sealed)))
    throw fail("key_wrong", { path: file.path });
  if (choice === "forward" && next !== undefined) {
    await takeNext(file);
    return next;
  }
  if (choice === "back") await dropNext(file);
  const key = now ?? newSecretKey();
  if (choice === "make") await file.write(key);
  if (record?.id !== key.id) await state.commit([], [state.key.put({ id: key.id })]);
  return key;
}

const opensAll = (key: SecretKey, sealed: readonly Sealed[]): boolean =>
  sealed.every(({ parts }) => parts.every((one) => key.open(one.context, one.sealed) !== undefined));
