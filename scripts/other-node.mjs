/**
 * `npm test` under another Node.js: its newest release of a major, from npm, in a directory of its own that goes
 * afterwards.
 *
 *     npm run test:node -- 24                          all of it
 *     npm run test:node -- 22 --project unit           what else npm test takes
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const [major = "", ...rest] = process.argv.slice(2);
if (!/^\d+$/.test(major)) {
  console.error("which major of Node.js? For example: npm run test:node -- 24 --project unit");
  process.exit(2);
}

const directory = mkdtempSync(join(tmpdir(), "perch-node-"));
const run = (argv, env = process.env) => spawnSync(argv[0], argv.slice(1), { stdio: "inherit", env }).status ?? 1;
try {
  // The package `node` has an install script that picks one of these; none runs here.
  const name = `node-${process.platform}-${process.arch}`;
  const installed = run([
    "npm",
    "install",
    "--silent",
    "--no-save",
    "--ignore-scripts",
    "--prefix",
    directory,
    `${name}@${major}`,
  ]);
  if (installed !== 0) throw new Error(`npm install of ${name}@${major} failed; nothing was tested.`);
  const programs = join(directory, "node_modules", name, "bin");
  console.log(`Node.js ${spawnSync(join(programs, "node"), ["--version"], { encoding: "utf8" }).stdout.trim()}`);
  const env = { ...process.env, PATH: `${programs}:${process.env.PATH}` };
  process.exitCode = run([join(programs, "node"), fileURLToPath(new URL("test.mjs", import.meta.url)), ...rest], env);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
