import { appendFileSync, closeSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readUnlinked, shortenLog, writeWhole } from "../../src/host/files.ts";
import { temporaryDirectory } from "../support/temporary.ts";

describe("a log that is kept short", () => {
  it("is begun anew under whoever writes it, and what it said is beside it", async () => {
    const path = join(temporaryDirectory(), "a.log");
    const writer = openSync(path, "a");
    try {
      writeSync(writer, "the first line\n");
      await shortenLog(path, 15);
      expect(readFileSync(path, "utf8")).toBe("the first line\n");
      writeSync(writer, "the second line\n");
      await shortenLog(path, 15);
      writeSync(writer, "the third line\n");
      expect(readFileSync(path, "utf8")).toBe("the third line\n");
      expect(readFileSync(`${path}.old`, "utf8")).toBe("the first line\nthe second line\n");
    } finally {
      closeSync(writer);
    }
  });

  it("is begun anew though nothing can be put beside it, and may be missing", async () => {
    const path = join(temporaryDirectory(), "a.log");
    await shortenLog(path, 1);
    writeFileSync(path, "a line\n");
    mkdirSync(`${path}.old`);
    await shortenLog(path, 1);
    appendFileSync(path, "b\n");
    expect(readFileSync(path, "utf8")).toBe("b\n");
  });
});

describe("a file in a directory where somebody else may lay links", () => {
  it("is written whole in place of a link, and what links lead to stays as it is", async () => {
    const [directory, target] = [temporaryDirectory(), join(temporaryDirectory(), "target")];
    const path = join(directory, "perch.conf");
    writeFileSync(target, "somebody's");
    for (const link of [path, `${path}.new-${process.pid}`]) symlinkSync(target, link);
    await writeWhole(path, "ours");
    expect(readFileSync(path, "utf8")).toBe("ours");
    expect(lstatSync(path).isFile()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe("somebody's");
    expect(readdirSync(directory)).toEqual(["perch.conf"]);
  });

  it("is not read by a link, and is read where it is a file", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "file"), "text");
    symlinkSync(join(directory, "file"), join(directory, "link"));
    expect(await readUnlinked(join(directory, "file"))).toBe("text");
    expect(await readUnlinked(join(directory, "link"))).toBeUndefined();
    expect(await readUnlinked(join(directory, "nothing"))).toBeUndefined();
  });
});
