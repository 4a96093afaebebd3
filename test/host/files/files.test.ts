import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { handOver, readText, shortenLog, writeWhole } from "../../../src/host/files/files.ts";
import { isRoot } from "../../../src/host/system/home.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

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
});

it("a file that many write at once is whole at every moment, and nothing is left beside it", async () => {
  const directory = temporaryDirectory();
  const path = join(directory, "resolv.conf");
  const texts = Array.from({ length: 30 }, (_, index) => `${index}\n`.repeat(500));
  await Promise.all(
    texts.map(async (text, index) => {
      await writeWhole(index % 2 === 0 ? path : `${directory}/./resolv.conf`, text, { mode: 0o644 });
      expect(texts).toContain(readFileSync(path, "utf8"));
    }),
  );
  expect(readFileSync(path, "utf8")).toBe(texts.at(-1));
  expect(readdirSync(directory)).toEqual(["resolv.conf"]);
});

describe("the text of a file", () => {
  it("is not waited for where it is a pipe, not read for ever from a device, nor of any length", async () => {
    const directory = temporaryDirectory();
    const [pipe, zero, sparse] = ["pipe", "zero", "sparse"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    execFileSync("mkfifo", [pipe]);
    symlinkSync("/dev/zero", zero);
    writeFileSync(sparse, "");
    truncateSync(sparse, 10 * 1024 ** 3);
    await expect(readText(pipe)).rejects.toMatchObject({ code: "file_strange" });
    await expect(readText(zero)).rejects.toMatchObject({ code: "file_strange" });
    await expect(readText(sparse)).rejects.toMatchObject({ code: "file_strange" });
    expect(await readText(join(directory, "none"))).toBeUndefined();
    expect(await readText("/proc/self/comm")).not.toBe("");
  });
});

it.skipIf(!isRoot())("nothing is given away below a directory of another user, who could have swapped it", async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "file"), "");
  await handOver(join(directory, "file"), { uid: 54_321, gid: 54_321 });
  expect(lstatSync(join(directory, "file")).uid).toBe(54_321);
  chownSync(directory, 54_321, 54_321);
  writeFileSync(join(directory, "other"), "");
  await expect(handOver(join(directory, "other"), { uid: 54_321, gid: 54_321 })).rejects.toMatchObject({
    code: "internal",
  });
  expect(lstatSync(join(directory, "other")).uid).toBe(0);
});
