import { fail } from "../errors/error.ts";
import { type KeyFile, nextKeyFile, takeNext } from "./key-file.ts";
import type { State } from "../store/records.ts";
import { everySealed, type Sealed } from "./sealed.ts";
import { newSecretKey, type SecretKey } from "./secret-key.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "./vault.ts";

export interface Keeping {
  file: KeyFile;
  store: Store;
  state: State;
  vault: Vault;
}

/**
 * A new key for everything that is sealed, one call at a time. The next key is on disk before anything is sealed with
 * it, and one transaction seals all: who is killed before it has the old key, who is killed after it the next one, and
 * `openVault` goes on from there. Gives how many values there are.
 */
export async function rekey(keeping: Keeping): Promise<number> {
  const { file, state, vault } = keeping;
  // The change before this one may lack its last step, and then the next key is the only one.
  const left = await nextKeyFile(file).read();
  if (left !== undefined && left.id === (await state.key.get({}))?.id) await takeNext(file);
  const next = newSecretKey();
  let count = 0;
  await vault.exchange(next, async (now) => {
    await nextKeyFile(file).write(next);
    count = await sealAnew(state, now, next);
  });
  await takeNext(file);
  await forgetOldKey(keeping);
  return count;
}

async function sealAnew(state: State, now: SecretKey, next: SecretKey): Promise<number> {
  for (;;) {
    const all = await everySealed(state);
    const opened = ({ context, sealed }: Sealed["parts"][number]) => {
      const value = now.open(context, sealed);
      if (value === undefined) throw fail("secret_damaged", { context });
      return value;
    };
    const writes = all.map(({ parts, under }) => under(next, parts.map(opened)));
    const stale = state.key.put({ id: next.id, stale: true });
    // Not done: one of the records was changed or taken away meanwhile.
    if (
      (
        await state.commit(
          all.map(({ still }) => still),
          [...writes, stale],
        )
      ).done
    )
      return all.flatMap(({ parts }) => parts).length;
  }
}

/**
 * What the store remembers of before would still open with the old key, and most of it is as true as ever: it is taken
 * off the disk. Gives whether there was any; whoever was killed in between left it.
 */
export async function forgetOldKey({ state, store }: Pick<Keeping, "state" | "store">): Promise<boolean> {
  const seen = await state.key.see({});
  if (seen?.record.stale !== true) return false;
  await store.forget(seen.modRevision);
  await state.commit([state.key.still(seen)], [state.key.put({ id: seen.record.id })]);
  return true;
}
