import { type FSWatcher, watch } from "node:fs";

/** Calls back when something directly in a directory, or the directory itself, appears, goes or gets another name. Gives what ends it. A directory that is not there is not watched. */
export function watchDirectory(path: string, onChange: () => void): () => void {
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(path, { persistent: false }, (event) => {
      if (event === "rename") onChange();
    });
    watcher.on("error", () => watcher?.close());
  } catch {
    return () => undefined;
  }
  return () => watcher.close();
}
