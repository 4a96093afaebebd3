import { readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository, runToEnd, succeeded } from "./perch.ts";

/** As `./perch` leaves it: as old as the beginning of the last build. A source that changed while that went on is newer. */
const marker = join(repository, "dist/.built");

/** Builds `dist/` before tests that run the CLI, where a source file is newer than it. */
export async function setup(): Promise<void> {
  const newest = Math.max(
    ...readdirSync(join(repository, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => statSync(join(repository, "src", path)).mtimeMs),
  );
  const built = statSync(marker, { throwIfNoEntry: false });
  if (built !== undefined && newest <= built.mtimeMs) return;
  const begun = new Date();
  succeeded(await runToEnd(["npm", "run", "build"]));
  writeFileSync(marker, "");
  utimesSync(marker, begun, begun);
}
