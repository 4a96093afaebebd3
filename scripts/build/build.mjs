/**
 * Writes dist/ from src/: `x.ts` becomes `x.js` beside it, its types stripped. It checks no types (`npm run check` does), so it needs one small tool in
 * place of a compiler and its type packages, and takes a second. The tool is not among Perch's own dependencies: it has a lockfile here, and is
 * installed here on first use.
 *
 *     node scripts/build/build.mjs
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const source = join(root, "src");
const target = join(root, "dist");

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

/** Every import stays an import, of the file that will lie there. */
const filesStayApart = {
  name: "files stay apart",
  setup: ({ onResolve }) =>
    void onResolve({ filter: /./ }, ({ kind, path }) =>
      kind === "entry-point" ? undefined : { path: path.startsWith(".") ? path.replace(/\.ts$/, ".js") : path, external: true },
    ),
};

async function build(esbuild) {
  const { outputFiles } = await esbuild.build({
    entryPoints: files(source, ".ts").map((path) => join(source, path)),
    outbase: source,
    outdir: target,
    bundle: true,
    plugins: [filesStayApart],
    format: "esm",
    platform: "node",
    target: "node20",
    charset: "utf8",
    write: false,
  });
  for (const { path, text } of outputFiles) write(path, text);
  const wanted = new Set(outputFiles.map(({ path }) => relative(target, path)));
  for (const path of files(target, ".js")) if (!wanted.has(path)) rmSync(join(target, path));
}

try {
  installTool();
  await build(await import("esbuild"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
