import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Programs that a test cannot do without: `describe.skipIf(missingTools("nft", "ip"))("the kernel map", …)`. At a desk
 * a missing one is a skip that the report shows, with the reason on the terminal; in CI (`CI=true`) it is a failure,
 * because there a test that never runs would look like one that passes. A library is asked for by a command that needs
 * it: `missingTools("ruby -rpg -e 1")`.
 */
export function missingTools(...programs: readonly string[]): boolean {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return false;
  if (process.env["CI"] === "true")
    throw new Error(`${missing.join(", ")} cannot be found, and CI must run every test`);
  process.stderr.write(`skipped: ${missing.join(", ")} cannot be found\n`);
  return true;
}

const directories = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];

const isThere = (program: string): boolean =>
  program.includes(" ") ? spawnSync("sh", ["-c", program]).status === 0 : isInPath(program);

const isInPath = (program: string): boolean =>
  directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return directory !== "";
    } catch {
      return false;
    }
  });

/** PHP with the PDO driver of PostgreSQL. */
export const phpTools = ["php", "php -r 'exit(extension_loaded(\"pdo_pgsql\") ? 0 : 1);'"] as const;
