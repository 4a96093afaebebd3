import { describe, expect, it } from "vitest";
import { files, read } from "./files.ts";

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const manifests = files(/(^|\/)package\.json$/);
const listed = (path: string): [string, string][] => {
  const manifest = JSON.parse(read(path)) as Manifest;
  return Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies });
};

describe("dependencies", () => {
  it("are pinned to one version each, here and in the examples", () => {
    expect(manifests).toContain("package.json");
    const loose = manifests.flatMap((path) =>
      listed(path)
        .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
        .map(([name]) => `${path}: ${name}`),
    );
    expect(loose).toEqual([]);
  });

  it("have a lock file beside each list", () => {
    const locks = files(/(^|\/)package-lock\.json$/);
    expect(
      manifests.filter(
        (path) => listed(path).length > 0 && !locks.includes(path.replace(/package\.json$/, "package-lock.json")),
      ),
    ).toEqual([]);
  });

  it("each have a reason in docs/decisions/dependencies.md, and nothing else has", () => {
    const reasons = [...read("docs/decisions/dependencies.md").matchAll(/^\| `([^`]+)` \|/gm)].map(
      ([, name = ""]) => name,
    );
    expect(reasons.toSorted()).toEqual(
      listed("package.json")
        .map(([name]) => name)
        .toSorted(),
    );
  });
});
