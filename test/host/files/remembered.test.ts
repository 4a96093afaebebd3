import { linkSync, renameSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readBelow } from "../../../src/host/files/below.ts";
import { remember, remembered } from "../../../src/host/files/remembered.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const later = Date.now() + 60_000;

/** A file of four bytes that is remembered, as one that was written a minute ago is. */
async function ground() {
  const directory = temporaryDirectory();
  const path = join(directory, "file");
  writeFileSync(path, "text");
  remember(path, await stat(path, { bigint: true }), Buffer.from("text"), later);
  expect((await remembered(path))?.toString()).toBe("text");
  return { directory, path };
}

describe("a small file that was read", () => {
  it("is remembered for as long as nothing was done to it, and what is given is the caller's own", async () => {
    const { directory, path } = await ground();
    (await remembered(path))?.fill(0);
    expect(await readBelow(directory, "file")).toBe("text");
  });

  it.each<[string, (path: string, directory: string) => void, string]>([
    [
      "written to, as long as before and with its time set back",
      (path) => (writeFileSync(path, "TEXT"), utimesSync(path, 0, 0)),
      "TEXT",
    ],
    [
      "replaced by another of the same length",
      (path, directory) => (writeFileSync(join(directory, "next"), "TEXT"), renameSync(join(directory, "next"), path)),
      "TEXT",
    ],
    ["given another name", (path, directory) => linkSync(path, join(directory, "second")), "text"],
  ])("is read again when it was %s", async (_what, change, now) => {
    const { directory, path } = await ground();
    change(path, directory);
    expect(await remembered(path)).toBeUndefined();
    expect(await readBelow(directory, "file")).toBe(now);
  });

  it("is not followed where its own name has become a link to it", async () => {
    const { directory, path } = await ground();
    renameSync(path, join(directory, "moved"));
    symlinkSync("moved", path);
    await expect(readBelow(directory, "file")).rejects.toMatchObject({ code: "file_strange" });
  });

  it("is not remembered when it was written just now: the next write may have the same time", async () => {
    const path = join(temporaryDirectory(), "file");
    writeFileSync(path, "text");
    remember(path, await stat(path, { bigint: true }), Buffer.from("text"));
    expect(await remembered(path)).toBeUndefined();
  });
});
