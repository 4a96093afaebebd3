import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { files, read, root } from "./files.ts";
import { rooms } from "./rooms.ts";

/** Tests of a room as a whole stand in its folder under a name of their own. */
const wholeRoom: Readonly<Record<string, string>> = {
  "test/reconcile/convergence.test.ts": "the plan against a model of the world it acts on",
  "test/store/model.test.ts": "random transactions on a store, compared with a model of it",
};

const tests = files(/^test\/.*\.test\.tsx?$/);

describe("the tests", () => {
  it("are all run: none is skipped, left for later or run alone", () => {
    expect(tests.length, "files seen").toBeGreaterThan(10);
    const marked = tests.filter((path) => /\b(it|test|describe)\.(only|skip|todo)\b/.test(read(path)));
    expect(marked).toEqual([]);
  });

  it("belong to a project of vitest.config.ts", () => {
    const folders = new Set([
      ...Object.keys(rooms),
      "dashboard",
      "process",
      "e2e",
      "fuzz",
      "faults",
      "examples",
      "house",
    ]);
    expect(tests.filter((path) => !folders.has(path.split("/")[1] ?? ""))).toEqual([]);
  });

  it("of a room stand where the source stands", () => {
    const strays = tests
      .filter(
        (path) =>
          (path.split("/")[1] ?? "") in rooms && !path.startsWith("test/network/inside/") && !(path in wholeRoom),
      )
      .map((path) => ({ path, source: path.replace(/^test\//, "src/").replace(/\.test\.(tsx?)$/, ".$1") }))
      .filter(
        ({ source }) => !existsSync(join(root, source)) && !existsSync(join(root, source.replace(/\.tsx?$/, ""))),
      );
    expect(strays.map(({ path, source }) => `${path} tests ${source}, which does not exist`)).toEqual([]);
  });

  it("of processes and namespaces are sorted by a room of src/", () => {
    const strays = tests.filter((path) => path.startsWith("test/process/") && !((path.split("/")[2] ?? "") in rooms));
    expect(strays).toEqual([]);
  });
});
