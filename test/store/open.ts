import { join } from "node:path";
import { fail } from "../../src/errors/error.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Store } from "../../src/store/store.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import type { StoreUnderTest } from "./contract.ts";

export const storeAt = (path: string, watcherErrors: unknown[] = []): Promise<Store> =>
  openSqliteStore({
    path,
    locked: () => fail("already_running", { home: path, pid: "somebody" }),
    watcherFailed: (error) => watcherErrors.push(error),
  });

/** A new store on a real file. */
export async function newStore(): Promise<StoreUnderTest & { path: string }> {
  const path = join(temporaryDirectory(), "perch.db");
  const watcherErrors: unknown[] = [];
  let store = await storeAt(path, watcherErrors);
  return {
    path,
    store,
    watcherErrors,
    async reopen() {
      await store.close();
      store = await storeAt(path, watcherErrors);
      return store;
    },
    end: () => store.close(),
  };
}
