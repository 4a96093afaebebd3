/** What a key of the store may be, the same for every implementation. */
import { fail } from "../errors/error.ts";
import type { Write } from "./store.ts";

/**
 * Whether a text can stand in the store as it is: NUL would end it, half a surrogate pair has no UTF-8, and an empty
 * key is none. What cannot stand there is not there: reading it finds nothing, so that a name nobody has checked may be
 * looked up.
 */
export const storable = (key: string): boolean => key !== "" && !/\0|\p{Surrogate}/u.test(key);

export const storablePrefix = (prefix: string): boolean => prefix === "" || storable(prefix);

export const keyOfWrite = (write: Write): string => ("put" in write ? write.put : write.delete);

/** Refuses writes that no store can do: whoever asks for them has a fault. */
export function checkWrites(writes: readonly Write[]): void {
  const keys = new Set(writes.map(keyOfWrite));
  if (keys.size !== writes.length)
    throw fail("internal", { why: `a transaction writes one key twice: ${writes.map(keyOfWrite).join(", ")}` });
  for (const write of writes) {
    if (!storable(keyOfWrite(write))) throw fail("internal", { why: `${JSON.stringify(keyOfWrite(write))} is no key` });
    if ("put" in write && write.value.includes("\0"))
      throw fail("internal", { why: `the value of ${write.put} has a NUL character` });
  }
}
