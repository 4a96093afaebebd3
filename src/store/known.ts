import type { z } from "zod";
import { fail } from "../errors/error.ts";
import { readRecord } from "./collection.ts";
import { eventFolder } from "./events.ts";
import { kinds } from "./records.ts";
import type { Store } from "./store.ts";

const shapes = new Map<string, z.ZodType>(Object.values(kinds).map(({ folder, shape }) => [folder, shape]));

/**
 * Reads every record once, before anything is done about any of them. Fails with `state_newer` when one is of a kind or
 * has a field that this Perch does not know, with `state_damaged` when one is not what it must be. Events are read when
 * somebody asks for them: nothing is done about them, and none is rewritten.
 */
export async function refuseUnknown(store: Store): Promise<void> {
  for (const entry of (await store.range("")).entries) {
    const [folder = ""] = entry.key.split("/");
    if (folder === eventFolder) continue;
    const shape = shapes.get(folder);
    if (shape === undefined)
      throw fail("state_newer", { path: `record ${entry.key}`, what: "this one knows no such record" });
    readRecord(shape, entry);
  }
}
