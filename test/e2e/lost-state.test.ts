import { copyFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { eventually, worldIn } from "../support/world.ts";

/** A home that was in use never becomes an empty network by itself. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("perch.db, lost beside what it knew", () => {
  const world = worldIn();
  const { ok, home } = world;
  const aside = temporaryDirectory();
  const files = ["perch.db", "perch.db-wal", "perch.db-shm", "secret.key"].map((name) => join(home.root, name));
  let postmaster = 0;

  /** As it was before each try: perchd is gone, its servers live. */
  const restore = () => {
    for (const path of files) rmSync(path, { force: true });
    for (const path of files) {
      const kept = join(aside, path.slice(home.root.length + 1));
      if (existsSync(kept)) copyFileSync(kept, path);
    }
  };
  const refused = async () => {
    const { code, stderr } = await world.perch(["up"]);
    expect(existsSync(join(home.root, "ca"))).toBe(true);
    expect((await known(postmaster)).pid).toBe(postmaster);
    expect(code).toBe(1);
    return stderr;
  };

  beforeAll(async () => {
    await ok("up");
    await world.create();
    postmaster = (await world.leader()).pid ?? 0;
    await killHard([await known((await world.status()).daemon.pid)]);
    for (const path of files) if (existsSync(path)) copyFileSync(path, join(aside, path.slice(home.root.length + 1)));
  });
  afterAll(async () => {
    restore();
    await ok("down");
  });

  it("is refused where it is missing, and nothing is made in its place", async () => {
    for (const path of files.slice(0, 3)) rmSync(path, { force: true });
    expect(await refused()).toMatch(/it is missing[^]*\[state_missing\]/);
    expect(existsSync(home.store)).toBe(false);
  });

  it("is refused where it is empty", async () => {
    for (const path of files.slice(0, 3)) rmSync(path, { force: true });
    writeFileSync(home.store, "", { mode: 0o600 });
    expect(await refused()).toMatch(/it is empty[^]*\[state_missing\]/);
  });

  it("is refused where the key is gone with it, and only the data is left", async () => {
    for (const path of files) rmSync(path, { force: true });
    expect(await refused()).toMatch(/the data of 1 member[^]*\[state_missing\]/);
    expect(existsSync(home.key)).toBe(false);
  });

  it("is refused where it is another home's, with that one's key", async () => {
    const other = worldIn();
    await other.ok("up");
    await other.ok("down");
    for (const path of files) rmSync(path, { force: true });
    copyFileSync(other.home.store, home.store);
    copyFileSync(other.home.key, home.key);
    expect(await refused()).toMatch(/it knows none of the 1 member[^]*\[state_missing\]/);
  });

  it("is taken again when it is back, with everything that runs", async () => {
    restore();
    await ok("up");
    const { answer } = await eventually("the leader is there", async () => (await world.leader()).pid ?? undefined);
    expect(answer).toBe(postmaster);
  });

  it("is made where a home is new, or its first start was killed before there was anything in it", async () => {
    const fresh = worldIn();
    writeFileSync(fresh.home.store, "", { mode: 0o600, flag: "w" });
    expect(await fresh.ok("up")).toMatch(/^Perch is up/);
    await fresh.ok("down");
  });
});
