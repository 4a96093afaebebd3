import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository, runToEnd, succeeded } from "./perch.ts";

/** Builds `dist/` before tests that run the CLI, where a source file is newer than it. */
export const setup = (): Promise<void> => build("dist");

export async function build(directory: string, ...words: string[]): Promise<void> {
  // As ./perch leaves it: as old as the beginning of the last build. A source that changed while that went on is newer.
  const marker = join(repository, directory, ".built");
  const sources = ["src", "scripts/build"].flatMap((room) =>
    readdirSync(join(repository, room), { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(ts|mjs)$/.test(path) && !path.startsWith("node_modules"))
      .map((path) => statSync(join(repository, room, path)).mtimeMs),
  );
  const built = statSync(marker, { throwIfNoEntry: false });
  if (built !== undefined && Math.max(...sources) <= built.mtimeMs) return;
  const begun = new Date();
  succeeded(await runToEnd(["npm", "run", "build", "--", ...words]));
  writeFileSync(marker, "");
  utimesSync(marker, begun, begun);
}
