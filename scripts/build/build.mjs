/**
 * Writes dist/ from src/: each program as one file, with the packages it uses in it
 * ([0048](../../docs/decisions/0048-a-program-is-one-file.md)). It checks no types (`npm run check` does), so it needs
 * one small tool in place of a compiler and its type packages, and takes a second. The tool is not among Perch's own
 * dependencies: it has a lockfile here, and is installed here on first use, as Perch's packages are.
 *
 *     node scripts/build/build.mjs            dist/, the programs
 *     node scripts/build/build.mjs --apart    dist-apart/, every file by itself: by it the fuzzers tell which lines of which file have run
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { apart, joined } from "./outputs.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "src");

const written = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * By a lockfile, where npm has not installed since it was written. What a link leads to belongs to another checkout,
 * which npm ci would empty first.
 */
function install(directory, ...more) {
  const modules = join(directory, "node_modules");
  if (lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink() === true) return;
  if (written(join(modules, ".package-lock.json")) >= written(join(directory, "package-lock.json"))) return;
  const args = ["ci", "--ignore-scripts", "--no-progress", "--loglevel=error", ...more];
  if (spawnSync("npm", args, { cwd: directory, stdio: ["ignore", 2, 2] }).status !== 0)
    throw new Error(`npm ci failed in ${directory}: read what it says above, and repeat`);
}

const files = (directory, ending) =>
  existsSync(directory)
    ? readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
        .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    : [];

/**
 * A perchd that runs may read the file meanwhile: it is there as it was, or as it becomes. One that stays the same is
 * not touched.
 */
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
  rmSync(join(target, ".cache"), { recursive: true, force: true }); // what Node compiled of the files before
  for (const path of files(target, ".js")) if (!wanted.has(path)) rmSync(join(target, path));
}

try {
  install(here);
  // `npm pack` in a fresh clone begins here; who works on Perch keeps the development tools.
  install(root, ...(existsSync(join(root, "node_modules/vitest")) ? [] : ["--omit=dev"]));
  await build(await import("esbuild"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
