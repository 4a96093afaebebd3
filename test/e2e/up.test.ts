import { chown, chmod, mkdir, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findBinaries } from "../../src/postgres/instance/binaries.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * What `perch up` says of clusters that cannot be started. One story: each test goes on where the one before it ended,
 * with everything up.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))(
  "perch up over a cluster that cannot be started",
  () => {
    const world = worldIn();
    const { ok } = world;
    let bin = "";
    let leader = "";

    beforeAll(async () => {
      // A directory of its own with links to PostgreSQL's programs, which may be taken away.
      const { directory } = await findBinaries({ toolsDirectory: temporaryDirectory() });
      const root = temporaryDirectory();
      bin = join(root, "bin");
      await mkdir(bin);
      for (const name of await readdir(directory)) await symlink(join(directory, name), join(bin, name));
      for (const path of [root, bin]) await chmod(path, 0o755);
      await ok("up");
      await world.create("pg", "--pg-bin", bin);
      await world.create("well");
      leader = (await world.leader()).id;
    });
    afterAll(() => ok("down"));

    /** `perch up` after `perch down`, and once more over the perchd that runs: both must say the same. */
    async function upTwice(why: RegExp): Promise<(number | null)[]> {
      const codes: (number | null)[] = [];
      for (const begun of ["up", "already running"]) {
        const { code, stdout, stderr } = await world.perch(["up"]);
        expect(stdout).toContain(`Perch is ${begun}, without cluster pg (`);
        expect(stderr).toMatch(
          /cluster pg is not up: its leader \w+ in ams does not run: .*\[cluster_not_up\]\nNext: Look at: perch logs -a pg\n$/,
        );
        expect(stderr).toMatch(why);
        codes.push(code);
      }
      expect((await world.leader("well")).state, "the other one is up").toBe("started");
      expect((await world.perch(["doctor"])).stdout).toMatch(why);
      return codes;
    }
    const wellAgain = () =>
      eventually("it is up again", async () => (await world.leader()).state === "started", 40_000);

    it("says that its program is gone, and is content when it is there again", async () => {
      await ok("down");
      await rename(bin, `${bin}-away`);
      expect(await upTwice(/there is no postgres in /), "exit codes").toEqual([1, 1]);
      const { code, stderr } = await world.perch(["quickstart", "--no-install"]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /cluster pg is not up: .*there is no postgres in .*\[cluster_not_up\]\nNext: Look at: perch logs -a pg\n$/,
      );
      expect(await ok("apps", "list"), "nothing is made beside it").not.toContain("hello");
      await rename(`${bin}-away`, bin);
      await wellAgain();
      expect(await ok("up")).toMatch(/^Perch is already running \(/);
    }, 120_000);

    it("shows the words of a loader that finds no library", async () => {
      await ok("down");
      const postgres = join(bin, "postgres");
      await rename(postgres, `${postgres}.real`);
      const words = "postgres: error while loading shared libraries: libperch.so.1: cannot open shared object file";
      await writeFile(postgres, `#!/bin/sh\necho "${words}" >&2\nexit 127\n`, { mode: 0o755 });
      expect(await upTwice(/error while loading shared libraries: libperch\.so\.1/), "exit codes").toEqual([1, 1]);
      await rm(postgres);
      await rename(`${postgres}.real`, postgres);
      await wellAgain();
    }, 120_000);

    it.skipIf(!isRoot())(
      "shows PostgreSQL's words where a file of its data is another user's",
      async () => {
        await ok("down");
        const control = join(world.home.postgres, leader, "data/global/pg_control");
        const { uid, gid, mode } = await stat(control);
        await chown(control, 0, 0);
        await chmod(control, 0o600);
        expect(await upTwice(/pg_control.*Permission denied/), "exit codes").toEqual([1, 1]);
        await chown(control, uid, gid);
        await chmod(control, mode);
        await wellAgain();
      },
      120_000,
    );

    it("takes one that was stopped on purpose as it is", async () => {
      await ok("machine", "stop", (await world.leader()).id);
      await ok("down");
      expect(await ok("up")).toMatch(/^Perch is up \(/);
      await ok("machine", "start", (await world.leader()).id);
    }, 60_000);
  },
);
