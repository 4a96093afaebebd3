import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { counted } from "../base/count.ts";
import { fail } from "../errors/error.ts";
import { exists } from "../host/files/files.ts";
import type { Home } from "../host/system/home.ts";
import { state as stateOf } from "../store/records.ts";
import type { Store } from "../store/store.ts";

/**
 * A home that was in use and has lost its perch.db must not become an empty network: what runs there would be nobody's,
 * and the next copy of the key or the data would be taken for an old one. Asked before the store is opened. Fails with
 * `state_missing`.
 */
export async function refuseLostStore(home: Home): Promise<void> {
  const size = await stat(home.store).then(
    (found) => found.size,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw fail("state_unreachable", { path: home.store, why: error.message }, error);
    },
  );
  // SQLite writes before anything else of a home is made: an empty file beside a key is not the beginning of one.
  if (size !== undefined && size > 0) return;
  const keys = [home.key, `${home.key}.next`];
  const there = (await Promise.all(keys.map(async (path) => ((await exists(path)) ? [path] : [])))).flat();
  const members = await membersOf(home);
  const beside = [
    ...there,
    ...(members.length === 0 ? [] : [`the data of ${counted(members.length, "member")} in ${home.postgres}`]),
  ];
  if (beside.length === 0) return;
  const what = size === undefined ? "is missing" : "is empty";
  throw fail("state_missing", { path: home.store, what: `it ${what}, and beside it there is ${beside.join(" and ")}` });
}

/** The same for a perch.db that is whole and knows none of the members whose data lies in the home. */
export async function refuseStrangeStore(home: Home, store: Store): Promise<void> {
  const members = await membersOf(home);
  if (members.length === 0) return;
  const known = new Set((await stateOf(store).machines.list()).map(({ id }) => id));
  if (members.some((id) => known.has(id))) return;
  const what = `it knows none of the ${counted(members.length, "member")} whose data lies in ${home.postgres}`;
  throw fail("state_missing", {
    path: home.store,
    what: `${what}: it is of another home, or of a time before they were made`,
  });
}

/** Those with a data directory that PostgreSQL has written. */
async function membersOf({ postgres }: Home): Promise<string[]> {
  const names = (await readdir(postgres).catch((): string[] => [])).filter((name) => /^[0-9a-f]{14}$/.test(name));
  const held = await Promise.all(names.map((name) => exists(join(postgres, name, "data", "PG_VERSION"))));
  return names.filter((_name, index) => held[index]);
}
