import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface Locked {
  packages: Record<string, { optionalDependencies?: Record<string, string> }>;
}

describe("package-lock.json", () => {
  it("names the packages of every platform, or npm ci refuses it everywhere (complete it with scripts/complete-lock.mjs)", () => {
    const { packages } = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as Locked;
    const optional = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.entries(optionalDependencies));
    const platforms = optional.filter(([name]) => /(android|darwin|freebsd|linux|openharmony|win32)-/.test(name));
    expect(platforms.length).toBeGreaterThan(50);
    expect(platforms.filter(([name, version]) => /^\d+\.\d+\.\d+/.test(version) && packages[`node_modules/${name}`] === undefined)).toEqual([]);
  });
});
