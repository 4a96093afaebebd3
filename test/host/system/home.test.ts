import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { removeTree } from "../../../src/host/files/files.ts";
import { findHome, oneName } from "../../../src/host/system/home.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const made: string[] = [];
afterEach(async () => {
  for (const path of made.splice(0)) await removeTree(path);
});

describe("a home behind a symbolic link", () => {
  const real = realpathSync(temporaryDirectory());
  const link = join(realpathSync(temporaryDirectory()), "link");
  symlinkSync(real, link);
  const given = (path: string, network = "") => findHome({ PERCH_HOME: path, PERCH_NETWORK: network });

  it("is the same network by either name, and has the name of its directory, before it is there, too", () => {
    for (const path of ["home", "not/yet/home"]) {
      expect(oneName(given(join(link, path)))).toEqual(given(join(real, path)));
      expect(oneName(given(join(link, path), "blue")).id).toBe(given(join(real, path), "blue").id);
    }
    expect(oneName(given(join(real, "home")))).toEqual(given(join(real, "home")));
  });

  it("that is the link itself is left as it is: it is refused", () => {
    expect(oneName(given(link))).toEqual(given(link));
  });

  it("is left to the perchd that runs by the name that was given", () => {
    const old = given(join(link, "older"));
    mkdirSync(old.runtime, { recursive: true, mode: 0o700 });
    made.push(old.runtime);
    writeFileSync(old.socket, "");
    expect(dirname(oneName(old).root)).toBe(link);
  });
});
