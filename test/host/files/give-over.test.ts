import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pause } from "../../../src/base/deadline.ts";
import { giveOver } from "../../../src/host/files/give-over.ts";
import { isRoot } from "../../../src/host/system/home.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const from = { uid: 54_321, gid: 54_321 };
const to = { uid: 54_322, gid: 54_322 };
const third = 54_323;
const uidOf = (path: string) => lstatSync(path).uid;

/** Below a directory that anyone may walk through: the first user's own, with two directories and three files. */
function tree() {
  const root = temporaryDirectory();
  chmodSync(root, 0o711);
  const top = join(root, "data");
  mkdirSync(join(top, "base", "1"), { recursive: true });
  for (const path of ["PG_VERSION", "base/1/a", "base/1/b"]) writeFileSync(join(top, path), "");
  execFileSync("chown", ["-R", `${from.uid}:${from.gid}`, top]);
  const uids = () =>
    new Set(["", ...readdirSync(top, { recursive: true, encoding: "utf8" })].map((path) => uidOf(join(top, path))));
  const elsewhere = join(root, "elsewhere");
  mkdirSync(elsewhere);
  return { root, top, uids, elsewhere };
}

describe.skipIf(!isRoot())("a tree that is given from one user to another", () => {
  it("is given whole, with its groups, and twice is the same as once", async () => {
    const { top, uids } = tree();
    for (let turn = 0; turn < 2; turn++) {
      expect(await giveOver(top, { from, to })).toBeUndefined();
      expect(uids()).toEqual(new Set([to.uid]));
    }
    expect(lstatSync(join(top, "base/1/a"))).toMatchObject(to);
    expect(await giveOver(join(top, "none"), { from, to })).toBeUndefined();
  });

  it("is gone on with where it was cut short: its own directory is given last", async () => {
    const { top, uids } = tree();
    for (const path of ["base/1", "base/1/b"]) chownSync(join(top, path), to.uid, to.gid);
    expect(await giveOver(top, { from, to })).toBeUndefined();
    expect(uids()).toEqual(new Set([to.uid]));
  });

  it("takes along nothing of root's or of a third user's, in it or where a link leads, and waits for no pipe", async () => {
    const { top, elsewhere } = tree();
    writeFileSync(join(elsewhere, "of-root"), "");
    for (const name of ["of-root", "of-third"]) writeFileSync(join(top, "base", name), "");
    chownSync(join(top, "base", "of-third"), third, third);
    mkdirSync(join(top, "dir-of-third"));
    writeFileSync(join(top, "dir-of-third", "inner"), "");
    chownSync(join(top, "dir-of-third", "inner"), from.uid, from.gid);
    chownSync(join(top, "dir-of-third"), third, third);
    for (const [name, target] of [
      ["passwd", "/etc/passwd"],
      ["link", join(elsewhere, "of-root")],
      ["dir", elsewhere],
      ["nowhere", "/nowhere"],
      ["loop", "loop"],
      ["within", "base"],
    ] as const)
      symlinkSync(target, join(top, name));
    // By a hard link, as whoever may make one could.
    linkSync(join(elsewhere, "of-root"), join(top, "hard"));
    execFileSync("mkfifo", [join(top, "pipe")]);
    const before = ["/etc/passwd", elsewhere, join(elsewhere, "of-root")].map((path) => [path, uidOf(path)]);
    expect(await giveOver(top, { from, to })).toBeUndefined();
    expect(before.map(([path]) => [path, uidOf(String(path))])).toEqual(before);
    expect(
      ["base/of-root", "base/of-third", "dir-of-third", "dir-of-third/inner"].map((path) => uidOf(join(top, path))),
    ).toEqual([0, third, third, from.uid]);
    expect(uidOf(top)).toBe(to.uid);
  });

  it.each([
    [
      "a file has another name elsewhere",
      ({ top, elsewhere }: ReturnType<typeof tree>) => linkSync(join(top, "base/1/a"), join(elsewhere, "kept")),
      /base\/1\/a has another name elsewhere/,
    ],
    [
      "a link leads to what the first user has elsewhere",
      ({ top, elsewhere }: ReturnType<typeof tree>) => (
        chownSync(elsewhere, from.uid, from.gid),
        symlinkSync(elsewhere, join(top, "pg_wal"))
      ),
      /pg_wal leads to .*elsewhere/,
    ],
  ])("stays the first user's where %s, and what was given before goes back", async (_, spoil, why) => {
    const made = tree();
    spoil(made);
    chownSync(join(made.top, "base"), to.uid, to.gid);
    chownSync(join(made.top, "base/1/b"), to.uid, to.gid);
    expect(await giveOver(made.top, { from, to })).toMatch(why);
    const owned = ["", "base", "base/1", "base/1/a", "base/1/b"].map((path) => uidOf(join(made.top, path)));
    expect(new Set(owned)).toEqual(new Set([from.uid]));
    expect(uidOf(made.elsewhere)).not.toBe(to.uid);
  });

  it("is given with a file that has two names in it, as a server leaves one that was killed while it renamed", async () => {
    const { top, uids } = tree();
    linkSync(join(top, "base/1/a"), join(top, "base/a-new"));
    expect(await giveOver(top, { from, to })).toBeUndefined();
    expect(uids()).toEqual(new Set([to.uid]));
  });

  it(
    "brings nobody a file of root's while the first user swaps its directories and files for links",
    { timeout: 30_000 },
    async () => {
      const { root, top, elsewhere } = tree();
      for (let file = 0; file < 50; file++) writeFileSync(join(elsewhere, `file-${file}`), "root's own");
      mkdirSync(join(root, "far"));
      renameSync(elsewhere, join(root, "far", "kept"));
      const kept = join(root, "far", "kept");
      const loop = `while :; do for d in base/1 base; do mv $d away; ln -s ${kept} $d; rm -f $d; mv away $d; done; for f in a b; do rm -f base/1/$f; ln -s ${kept}/file-1 base/1/$f; rm -f base/1/$f; : > base/1/$f; done; done 2>/dev/null`;
      const attacker = spawn(
        "setpriv",
        ["--reuid=54321", "--regid=54321", "--clear-groups", "sh", "-c", `cd ${top} && ${loop}`],
        { stdio: "ignore" },
      );
      await pause(30);
      for (let round = 0; round < 100; round++) {
        await giveOver(top, { from, to });
        // For as long as it may go on, it has its directories again.
        await giveOver(top, { from: to, to: from });
      }
      attacker.kill("SIGKILL");
      expect(new Set(["", ...readdirSync(kept)].map((name) => uidOf(join(kept, name))))).toEqual(new Set([0]));
      expect(uidOf(root)).toBe(0);
    },
  );
});
