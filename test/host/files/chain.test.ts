import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { coverOf, refuseStranger, weakness } from "../../../src/host/files/chain.ts";
import { isRoot } from "../../../src/host/system/home.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const own = process.getuid?.() ?? 0;
const stranger = own + 54_321;

/** What lies in /tmp: `perch-1000/1a2b`, where the socket is. */
function runtime() {
  const above = temporaryDirectory();
  const [user, id] = [join(above, "perch-1000"), join(above, "perch-1000", "1a2b")];
  mkdirSync(id, { recursive: true, mode: 0o700 });
  return { above, user, id, socket: join(id, "perchd.sock") };
}

describe("the way to a socket", () => {
  it("is believed where all of it is ours or root's and closed to others; below /tmp, too, and before there is any", () => {
    const { above, socket } = runtime();
    expect(refuseStranger(socket)).toBeUndefined();
    expect(refuseStranger("/tmp/perch-none/1a2b/perchd.sock")).toBeUndefined();
    chmodSync(above, 0o1777);
    expect(refuseStranger(socket)).toBeUndefined();
    chmodSync(above, 0o755);
    const link = join(temporaryDirectory(), "link");
    symlinkSync(above, link);
    expect(weakness(join(link, "perch-1000"))).toBeUndefined();
  });

  it("is not where others may write to a part of it, be it only the group to the last", () => {
    const { above, user, id, socket } = runtime();
    chmodSync(above, 0o777);
    expect(() => refuseStranger(socket)).toThrow(expect.objectContaining({ code: "runtime_unsafe" }) as Error);
    chmodSync(above, 0o700);
    for (const mode of [0o770, 0o720, 0o702, 0o1777]) {
      chmodSync(id, mode);
      expect(() => refuseStranger(socket), mode.toString(8)).toThrow("others may write to it");
    }
    chmodSync(id, 0o700);
    chmodSync(user, 0o707);
    expect(() => refuseStranger(socket)).toThrow(user);
  });

  it.skipIf(!isRoot())("is not where another user's group may write to a part above the last, unless in /tmp", () => {
    const { above, user, socket } = runtime();
    for (const at of [above, user]) {
      chownSync(at, own, stranger);
      chmodSync(at, 0o770);
      expect(() => refuseStranger(socket), at).toThrow(`others may write to it (mode 770, group ${stranger}`);
      expect(weakness(dirname(socket))).toMatchObject({ path: at, fix: `chmod g-w,o-w ${at}` });
      chmodSync(at, 0o1770);
      expect(refuseStranger(socket)).toBeUndefined();
      chmodSync(at, 0o770);
      chownSync(at, own, 0);
      expect(refuseStranger(socket)).toBeUndefined();
    }
  });

  it.skipIf(!isRoot()).each<[string, (at: ReturnType<typeof runtime>) => void]>([
    ["the directory is another's", ({ user }) => chownSync(user, stranger, stranger)],
    ["the last directory is another's", ({ id }) => chownSync(id, stranger, stranger)],
    ["one above is another's", ({ above }) => chownSync(above, stranger, stranger)],
    [
      "it leads through a link of another's",
      ({ above, user }) => {
        symlinkSync(above, join(above, "link"));
        chownSync(user, stranger, stranger);
      },
    ],
  ])("is not where %s", (_, spoil) => {
    const at = runtime();
    spoil(at);
    expect(() => refuseStranger(at.socket)).toThrow(`another user (uid ${stranger})`);
  });

  it.skipIf(!isRoot())("is not where a link of another's stands in it, or the socket is another's", async () => {
    const [one, other] = [runtime(), runtime()];
    symlinkSync(one.user, join(other.above, "link"));
    expect(() => refuseStranger(join(other.above, "link", "1a2b", "perchd.sock"))).not.toThrow();
    const { lchownSync } = await import("node:fs");
    lchownSync(join(other.above, "link"), stranger, stranger);
    expect(() => refuseStranger(join(other.above, "link", "1a2b", "perchd.sock"))).toThrow(
      `another user (uid ${stranger})`,
    );
    const server = createServer().listen(one.socket);
    await new Promise((resolve) => server.once("listening", resolve));
    expect(refuseStranger(one.socket)).toBeUndefined();
    chownSync(one.socket, stranger, stranger);
    expect(() => refuseStranger(one.socket)).toThrow(`another user (uid ${stranger})`);
    server.close();
  });

  it("ends where links lead in a circle, and where a file lies in it", () => {
    const directory = temporaryDirectory();
    symlinkSync(join(directory, "b"), join(directory, "a"));
    symlinkSync(join(directory, "a"), join(directory, "b"));
    expect(weakness(join(directory, "a", "x"))?.why).toBe("it leads through too many symbolic links");
    writeFileSync(join(directory, "file"), "");
    expect(weakness(join(directory, "file", "x"))?.why).toBe("it is no directory");
  });
});

describe("what perch run covers", () => {
  const mounts = [
    "22 1 8:1 / / rw - ext4 /dev/sda1 rw",
    "40 22 0:40 / /run/perch ro shared:7 - tmpfs perch ro,size=4k",
    "41 22 0:41 / /home/a\\040b/.perch ro - tmpfs perch ro,size=4k",
    "42 22 0:42 / /run/user rw - tmpfs tmpfs rw",
  ].join("\n");

  it("is known by its mount, whatever its path", () => {
    expect(coverOf(mounts, "/run/perch/1a2b/perchd.sock")).toBe("/run/perch");
    expect(coverOf(mounts, "/home/a b/.perch/run/perchd.sock")).toBe("/home/a b/.perch");
  });

  it("is not every tmpfs, nor a neighbour of the same beginning", () => {
    expect(coverOf(mounts, "/run/user/1000/perchd.sock")).toBeUndefined();
    expect(coverOf(mounts, "/run/perch-other/perchd.sock")).toBeUndefined();
    expect(coverOf("", "/run/perch/perchd.sock")).toBeUndefined();
  });
});
