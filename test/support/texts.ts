import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Every file below a directory, its bytes as text. */
export function textsBelow(directory: string): { path: string; text: string }[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    try {
      return [{ path, text: readFileSync(path, "latin1") }];
    } catch {
      return []; // PostgreSQL removes files of its own all the time
    }
  });
}
