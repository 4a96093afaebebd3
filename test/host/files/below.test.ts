import { execFileSync } from "node:child_process";
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  copyFromBelow,
  createBelow,
  isBelow,
  listBelow,
  readBelow,
  removeBelow,
  saysBelow,
  writeBelow,
} from "../../../src/host/files/below.ts";
import { isRoot } from "../../../src/host/system/home.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/** A directory with `file` and `inner/file`, beside one that is not to be met: `secret/file`. */
function ground() {
  const root = temporaryDirectory();
  const [directory, secret] = [join(root, "data"), join(root, "secret")];
  for (const one of [directory, join(directory, "inner"), secret]) mkdirSync(one);
  for (const one of [directory, join(directory, "inner")]) writeFileSync(join(one, "file"), "text");
  writeFileSync(join(secret, "file"), "secret");
  return { directory, secret };
}

const strange = { code: "file_strange" };

describe("a file below a directory of another user", () => {
  it("is read where it is one, and missing where there is none", async () => {
    const { directory } = ground();
    expect(await readBelow(directory, "file")).toBe("text");
    expect(await readBelow(directory, "inner/file")).toBe("text");
    expect(await readBelow(directory, "none")).toBeUndefined();
    expect(await readBelow(directory, "none/file")).toBeUndefined();
    expect(await readBelow(join(directory, "none"), "file")).toBeUndefined();
    expect(await readBelow(directory, "file", { atMost: 2, last: true })).toBe("xt");
  });

  it("is not read by a link, be it the file or a directory on the way", async () => {
    const { directory, secret } = ground();
    symlinkSync(join(secret, "file"), join(directory, "link"));
    symlinkSync(secret, join(directory, "way"));
    for (const path of ["link", "way/file"]) {
      await expect(readBelow(directory, path)).rejects.toMatchObject(strange);
      expect(
        await copyFromBelow(directory, path, join(secret, "copy"), undefined).catch(
          (error: { code: string }) => error.code,
        ),
      ).toBe("file_strange");
    }
    await expect(listBelow(directory, "way")).rejects.toMatchObject(strange);
    await expect(writeBelow(directory, "way/file", "x")).rejects.toMatchObject(strange);
    await expect(removeBelow(directory, "way/file")).rejects.toMatchObject(strange);
    expect(readFileSync(join(secret, "file"), "utf8")).toBe("secret");
  });

  it("is said to be none where it is a pipe, a socket, a device, a directory or longer than it may be, and nothing waits for it", async () => {
    const { directory } = ground();
    execFileSync("mkfifo", [join(directory, "pipe")]);
    const server = createServer().listen(join(directory, "socket"));
    symlinkSync("/dev/zero", join(directory, "zero"));
    writeFileSync(join(directory, "sparse"), "");
    truncateSync(join(directory, "sparse"), 10 * 1024 ** 3);
    for (const path of ["pipe", "socket", "zero", "inner", "sparse"]) {
      await expect(readBelow(directory, path), path).rejects.toMatchObject(strange);
      expect(await saysBelow(directory, path, ""), path).toBe(false);
      expect(await isBelow(directory, path), path).toBe(true);
    }
    expect(await readBelow(directory, "sparse", { atMost: 4, last: true })).toBe("\0\0\0\0");
    server.close();
  });

  it("is whole though many write it at once", async () => {
    const { directory } = ground();
    const texts = Array.from({ length: 20 }, (_, index) => `${index}\n`.repeat(500));
    await Promise.all(texts.map((text) => writeBelow(directory, "perch.conf", text)));
    expect(readFileSync(join(directory, "perch.conf"), "utf8")).toBe(texts.at(-1));
  });

  it("is written in place of whatever has its name", async () => {
    const { directory, secret } = ground();
    execFileSync("mkfifo", [join(directory, "pipe")]);
    symlinkSync(join(secret, "file"), join(directory, "link"));
    symlinkSync(join(secret, "file"), join(directory, `file.new-${process.pid}`));
    mkdirSync(join(directory, `pipe.new-${process.pid}`));
    for (const path of ["pipe", "link", "inner", "file"]) {
      await writeBelow(directory, path, "ours");
      expect(readFileSync(join(directory, path), "utf8")).toBe("ours");
    }
    expect(readFileSync(join(secret, "file"), "utf8")).toBe("secret");
  });

  it.skipIf(!isRoot())(
    "is not read where it is one of ours by a hard link, and what is written or made is the directory's owner's",
    async () => {
      const { directory, secret } = ground();
      chownSync(directory, 54_321, 54_321);
      linkSync(join(secret, "file"), join(directory, "hard"));
      await expect(readBelow(directory, "hard")).rejects.toMatchObject(strange);
      chownSync(join(secret, "file"), 54_322, 54_322);
      await expect(readBelow(directory, "hard"), "another user's").rejects.toMatchObject(strange);
      await writeBelow(directory, "written", "x");
      await (await createBelow(directory, "made")).close();
      for (const name of ["written", "made"])
        expect(lstatSync(join(directory, name))).toMatchObject({ uid: 54_321, gid: 54_321 });
      expect(await readBelow(directory, "written")).toBe("x");
    },
  );

  it("is the directory's own while another swaps the directory on the way for a link, as often as it likes", async () => {
    const { directory, secret } = ground();
    let swaps = 0;
    const swap = setInterval(() => {
      rmSync(join(directory, "way"), { force: true });
      symlinkSync(swaps++ % 2 === 0 ? secret : join(directory, "inner"), join(directory, "way.new"));
      renameSync(join(directory, "way.new"), join(directory, "way"));
      renameSync(join(directory, "inner"), join(directory, "away"));
      symlinkSync(secret, join(directory, "inner"));
      rmSync(join(directory, "inner"));
      renameSync(join(directory, "away"), join(directory, "inner"));
    }, 0);
    const seen = new Set<string>();
    for (let turn = 0; turn < 2_000; turn++) {
      seen.add((await readBelow(directory, "inner/file").catch(() => "refused")) ?? "missing");
      seen.add((await readBelow(directory, "way/file").catch(() => "refused")) ?? "missing");
    }
    clearInterval(swap);
    expect(swaps).toBeGreaterThan(10);
    expect(seen).not.toContain("secret");
    expect(seen).toContain("text");
  });
});
