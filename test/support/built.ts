import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { repository, runToEnd, succeeded } from "./perch.ts";

/** Builds `dist/` before tests that run the CLI, where a source file is newer than it. */
export async function setup(): Promise<void> {
  const newest = (directory: string, ending: string): number =>
    Math.max(
      0,
      ...readdirSync(join(repository, directory), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(ending))
        .map((path) => statSync(join(repository, directory, path)).mtimeMs),
    );
  const built = statSync(join(repository, "dist/cli/main.js"), { throwIfNoEntry: false });
  if (built === undefined || newest("src", ".ts") > newest("dist", ".js")) succeeded(await runToEnd(["npm", "run", "build"]));
}
