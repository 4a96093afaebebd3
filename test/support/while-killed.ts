import { type State, state as stateOf } from "../../src/store/records.ts";
import { storeAt } from "../store/open.ts";
import { killHard, known } from "./traces.ts";
import type { worldIn } from "./world.ts";

/**
 * Kills perchd as with `kill -9` and changes a wish in its store: what a perchd leaves that is killed between the wish
 * and the deed. The caller begins the next one.
 */
export async function whileKilled(
  world: Pick<ReturnType<typeof worldIn>, "status" | "home">,
  change: (state: State) => Promise<unknown>,
): Promise<void> {
  await killHard([await known((await world.status()).daemon.pid)]);
  const store = await storeAt(world.home.store);
  try {
    await change(stateOf(store));
  } finally {
    await store.close();
  }
}
