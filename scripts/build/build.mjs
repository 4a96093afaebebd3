/**
 * Writes dist/ from src/: each program as one file, with the packages it uses in it ([0048](../../docs/decisions/0048-a-program-is-one-file.md)). It checks no
 * types (`npm run check` does), so it needs one small tool in place of a compiler and its type packages, and takes a second. The tool is not among Perch's own
 * dependencies: it has a lockfile here, and is installed here on first use.
 *
 *     node scripts/build/build.mjs            dist/, the programs
 *     node scripts/build/build.mjs --apart    dist-apart/, every file by itself: by it the fuzzers tell which lines of which file have run
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { apart, joined } from "./outputs.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "src");

const written = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

function installTool() {
  if (written(join(here, "node_modules/.package-lock.json")) >= written(join(here, "package-lock.json"))) return;
  const { status } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-progress", "--loglevel=error"], { cwd: here, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("npm ci failed in scripts/build: read what it says above, and repeat");
}

const files = (directory, ending) =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
        .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    : [];

/** A perchd that runs may read the file meanwhile: it is there as it was, or as it becomes. One that stays the same is not touched. */
function write(path, text) {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

async function build(esbuild) {
  const asFiles = process.argv.includes("--apart");
  const target = join(root, asFiles ? "dist-apart" : "dist");
  const sources = files(source, ".ts");
  const outputs = await (asFiles ? apart : joined)(esbuild, { source, target, sources });
  for (const { path, text } of outputs) write(path, text);
  const wanted = new Set(outputs.map(({ path }) => relative(target, path)));
  for (const path of files(target, ".js")) if (!wanted.has(path)) rmSync(join(target, path));
}

try {
  installTool();
  await build(await import("esbuild"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
