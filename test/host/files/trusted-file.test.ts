import { chmodSync, chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { execFileSync } from "node:child_process";
import { beforeEach, describe, expect, it } from "vitest";
import { readTrusted } from "../../../src/host/files/trusted-file.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/** Whoever that is: nobody we know. */
const stranger = 54_321;
const isRoot = process.getuid?.() === 0;

describe("a file that is obeyed because of where it lies", () => {
  let path = "";
  beforeEach(() => {
    path = join(temporaryDirectory(), "app", "perch.toml");
    mkdirSync(dirname(path));
    writeFileSync(path, "mine", { mode: 0o644 });
  });
  const distrust = async (at = path): Promise<string> => {
    const found = await readTrusted(at);
    return found === undefined ? "absent" : "text" in found ? "trusted" : found.distrust;
  };

  it("is read where it is ours, and is absent where there is none", async () => {
    expect(await readTrusted(path)).toEqual({ text: "mine" });
    expect(await distrust(`${path}.not`)).toBe("absent");
  });

  it("is not when every user can write to it, or to a directory above it", async () => {
    chmodSync(path, 0o666);
    expect(await distrust()).toBe(`every user can write to ${path}`);
    chmodSync(path, 0o644);
    chmodSync(dirname(path), 0o777);
    expect(await distrust()).toBe(`every user can write to ${dirname(path)}`);
    chmodSync(dirname(path), 0o1777);
    expect(await distrust()).toBe("trusted");
  });

  it("is not when it is no file, which would keep us waiting, or a large one", async () => {
    renameSync(path, `${path}.old`);
    execFileSync("mkfifo", [path]);
    expect(await distrust()).toBe(`${path} is no file`);
    const large = join(dirname(path), "fly.toml");
    writeFileSync(large, Buffer.alloc(1024 * 1024 + 1));
    expect(await distrust(large)).toBe(`${large} is larger than 1 MiB`);
  });

  it.skipIf(!isRoot)("is not when it, or a directory above it, is another user's", async () => {
    chownSync(path, stranger, 0);
    expect(await distrust()).toBe(`${path} belongs to user ${stranger}`);
    chownSync(path, 0, 0);
    chownSync(dirname(path), stranger, 0);
    expect(await distrust()).toBe(`${dirname(path)} belongs to user ${stranger}`);
    process.env["SUDO_UID"] = String(stranger);
    expect(await distrust().finally(() => delete process.env["SUDO_UID"])).toBe("trusted");
  });

  it.skipIf(!isRoot)("is not by a link: neither one that another laid, nor one of ours to a file of his", async () => {
    const his = join(temporaryDirectory(), "his");
    mkdirSync(his);
    const link = join(his, "perch.toml");
    symlinkSync(path, link);
    expect(await distrust(link)).toBe("trusted");
    chownSync(his, stranger, stranger);
    expect(await distrust(link)).toBe(`${his} belongs to user ${stranger}`);
    writeFileSync(join(his, "evil"), "evil");
    const ours = join(dirname(path), "fly.toml");
    symlinkSync(join(his, "evil"), ours);
    expect(await distrust(ours)).toBe(`${his} belongs to user ${stranger}`);
  });

  it.skipIf(!isRoot)(
    "is not when a group of others can write to it, and is when the group is the user's own",
    async () => {
      chownSync(path, 0, stranger);
      chmodSync(path, 0o664);
      expect(await distrust()).toBe(`group ${stranger} can write to ${path}`);
      chownSync(path, 0, 0);
      expect(await distrust()).toBe("trusted");
    },
  );
});
