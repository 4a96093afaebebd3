import { rm } from "node:fs/promises";
import { join } from "node:path";
import { exists, writeWhole } from "../files/files.ts";
import type { Home } from "./home.ts";

/**
 * Whether a home was started in portable mode because somebody asked for it: it stays so until it is asked for
 * otherwise.
 */
const noteOf = (home: Pick<Home, "root">): string => join(home.root, "portable");

export const portableWished = (home: Pick<Home, "root">): Promise<boolean> => exists(noteOf(home));

export async function wishPortable(home: Pick<Home, "root">, wished: boolean): Promise<void> {
  if (wished === (await portableWished(home))) return;
  await (wished
    ? writeWhole(noteOf(home), "Started with --portable; perch up --no-portable ends that.\n", { mode: 0o600 })
    : rm(noteOf(home), { force: true }));
}
