import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isRoot } from "../../../../src/host/system/home.ts";
import type { Place } from "../../../../src/host/process/place.ts";
import { findUser } from "../../../../src/host/system/users.ts";
import { portableNamespace } from "../../../../src/network/portable.ts";
import { findBinaries } from "../../../../src/postgres/instance/binaries.ts";
import { makeOwned } from "../../../../src/postgres/instance/directory.ts";
import { inheritTimelines, inheritWal } from "../../../../src/postgres/replication/salvage-wal.ts";
import { home, newMember, place } from "../../../support/ground.ts";
import { temporaryDirectory } from "../../../support/temporary.ts";

const megabytes16 = 16n * 1024n * 1024n;
const segment = (number: number) => `0000000100000000${number.toString(16).padStart(8, "0").toUpperCase()}`;

/** Two members with no more of a data directory than its WAL. */
async function pair(name: string, deadPlace: Place = place) {
  await mkdir(join(home.postgres, "tools"), { recursive: true });
  const binaries = await findBinaries({ toolsDirectory: join(home.postgres, "tools") });
  const [dead, heir] = [
    { ...(await newMember(binaries, `${name}a`)), place: deadPlace },
    await newMember(binaries, `${name}b`),
  ];
  for (const { layout, place: its } of [dead, heir]) {
    await mkdir(layout.data);
    for (const path of [join(layout.data, "pg_wal"), layout.data]) await makeOwned(path, its);
  }
  return { dead, heir, from: join(dead.layout.data, "pg_wal"), to: join(heir.layout.data, "pg_wal") };
}

describe("the WAL of a dead leader", () => {
  it("comes to the heir whole, as PostgreSQL's user's, from the segment it received last", async () => {
    const { dead, heir, from, to } = await pair("whole");
    for (const number of [7, 8, 9]) writeFileSync(join(from, segment(number)), `WAL ${number}`, { mode: 0o644 });
    expect(await inheritWal(heir, dead, { received: 8n * megabytes16 + 5n, timeline: 1 }, megabytes16)).toEqual([
      segment(8),
      segment(9),
    ]);
    expect(readdirSync(to).toSorted()).toEqual([segment(8), segment(9)]);
    expect(readFileSync(join(to, segment(9)), "utf8")).toBe("WAL 9");
    expect(statSync(join(to, segment(9))).uid).toBe(place.owner?.uid ?? process.getuid?.());
  });

  it("stays where it is, if it does not begin with what the heir received: files were taken away from under the leader, and it made them again", async () => {
    const { dead, heir, from, to } = await pair("hole");
    const at = { received: 8n * megabytes16 + 9n, timeline: 1 };
    writeFileSync(join(to, segment(8)), "received, and what was there before", { mode: 0o644 });
    writeFileSync(join(from, segment(8)), "\0\0\0\0\0\0\0\0\0\0\0\0written last", { mode: 0o644 });
    writeFileSync(join(from, segment(9)), "WAL 9", { mode: 0o644 });
    expect(await inheritWal(heir, dead, at, megabytes16)).toBeUndefined();
    expect(readdirSync(to)).toEqual([segment(8)]);
    writeFileSync(join(from, segment(8)), "receive", { mode: 0o644 });
    expect(await inheritWal(heir, dead, at, megabytes16), "cut short").toBeUndefined();
    expect(readFileSync(join(to, segment(8)), "utf8")).toMatch(/^received/);
    writeFileSync(join(from, segment(8)), "received, and more", { mode: 0o644 });
    expect(await inheritWal(heir, dead, at, megabytes16)).toEqual([segment(8), segment(9)]);
    expect(readFileSync(join(to, segment(8)), "utf8")).toBe("received, and more");
  });

  it.skipIf(!isRoot())("is read by PostgreSQL's user: a link in it to a file of root's brings nothing", async () => {
    const { dead, heir, from, to } = await pair("link");
    const ofRoot = join(temporaryDirectory(), "of-root");
    writeFileSync(ofRoot, "root's own", { mode: 0o600 });
    symlinkSync(ofRoot, join(from, segment(8)));
    await expect(inheritWal(heir, dead, { received: 8n * megabytes16, timeline: 1 }, megabytes16)).rejects.toThrow(
      "no file that can be read",
    );
    expect(readdirSync(to)).toEqual([]);
    unlinkSync(join(from, segment(8)));
    execFileSync("mkfifo", ["-m", "666", join(from, segment(8))]);
    await expect(
      inheritWal(heir, dead, { received: 8n * megabytes16, timeline: 1 }, megabytes16),
      "a pipe",
    ).rejects.toThrow("no file that can be read");
  });

  it.skipIf(!isRoot())(
    "comes to an heir that runs as another user, and no link in it brings anything of root's or of the heir's",
    async () => {
      const nobody = await findUser("nobody");
      if (nobody === undefined) throw new Error("there is no user nobody");
      const { place: other } = portableNamespace(nobody);
      const { dead, heir, from, to } = await pair("other", other);
      writeFileSync(join(from, segment(8)), Buffer.alloc(3_000_000, "W"), { mode: 0o600 });
      execFileSync("chown", [String(nobody.uid), join(from, segment(8))]);
      expect(await inheritWal(heir, dead, { received: 8n * megabytes16, timeline: 1 }, megabytes16)).toEqual([
        segment(8),
      ]);
      expect(statSync(join(to, segment(8)))).toMatchObject({ uid: place.owner?.uid, size: 3_000_000 });
      // What the heir has of it already is looked at by each one's own user, too.
      const again = { received: 8n * megabytes16 + 5n, timeline: 1 };
      expect(await inheritWal(heir, dead, again, megabytes16)).toEqual([segment(8)]);
      writeFileSync(join(from, segment(8)), "Another's WAL");
      expect(await inheritWal(heir, dead, again, megabytes16)).toBeUndefined();
      const secrets = join(to, "of-the-heir");
      writeFileSync(secrets, "its own", { mode: 0o600 });
      execFileSync("chown", [String(place.owner?.uid), secrets]);
      symlinkSync(secrets, join(from, segment(9)));
      await expect(inheritWal(heir, dead, { received: 9n * megabytes16, timeline: 1 }, megabytes16)).rejects.toThrow(
        "no file that can be read",
      );
      expect(readdirSync(to).toSorted()).toEqual([segment(8), "of-the-heir"]);
      expect(readdirSync(heir.layout.root).filter((name) => name.startsWith("inherited"))).toEqual([]);
    },
  );

  it("is not all: every timeline that others have begun is told to the heir, and none of its own is written over", async () => {
    const { dead, heir, from, to } = await pair("line");
    for (const name of ["00000002.history", "00000003.history", "00000003.history.ready", segment(8)])
      writeFileSync(join(from, name), "of the dead", { mode: 0o644 });
    writeFileSync(join(to, "00000002.history"), "its own");
    await inheritTimelines(heir, [dead]);
    expect(readdirSync(to).toSorted()).toEqual(["00000002.history", "00000003.history"]);
    expect(readFileSync(join(to, "00000002.history"), "utf8")).toBe("its own");
  });
});
