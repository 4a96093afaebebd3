import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { link, ownStarter, placeOf, unlink } from "../../../src/host/files/own-links.ts";
import { repository } from "../../support/perch.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

describe("a link by which perch is found", () => {
  it("starts the script of this checkout", async () => {
    expect(await ownStarter()).toBe(join(repository, "perch"));
  });

  it("is made with its directory, replaced where it was another Perch's, and taken away", async () => {
    const path = join(temporaryDirectory(), "bin/perch");
    expect(await placeOf(path)).toBe("free");
    await link(path, "/elsewhere/perch");
    expect(await placeOf(path)).toBe("ours");
    await link(path, await ownStarter());
    expect(readlinkSync(path)).toBe(join(repository, "perch"));
    await unlink(path);
    expect(await placeOf(path)).toBe("free");
  });

  it("is nobody else's file, directory or link", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "");
    mkdirSync(join(directory, "directory"));
    symlinkSync("/usr/bin/env", join(directory, "fly"));
    for (const name of ["file", "directory", "fly"]) expect(await placeOf(join(directory, name))).toBe("taken");
  });
});
