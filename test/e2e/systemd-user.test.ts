import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/api/schemas.ts";
import { asAccount, canRead, ordinaryUser } from "../support/account.ts";
import { repository, succeeded } from "../support/perch.ts";
import { boot, type Booted, canBoot } from "../support/systemd.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually } from "../support/world.ts";

/**
 * Perch kept by the service manager of an ordinary user, on a machine of its own. One story: each test goes on where
 * the one before it ended.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "systemctl", "systemd-run") || !canBoot())(
  "perch.service of an ordinary user",
  () => {
    const user = ordinaryUser();
    const home = temporaryDirectory(user);
    const perchHome = join(home, "perch");
    const runtime = `/run/user/${user.uid}`;
    const main = join(repository, "dist/cli/main.js");
    let machine: Booted;

    const as = (...argv: string[]) =>
      machine.run(
        asAccount(user, [
          "env",
          `HOME=${home}`,
          `XDG_RUNTIME_DIR=${runtime}`,
          `PERCH_HOME=${perchHome}`,
          "XDG_CONFIG_HOME=",
          ...argv,
        ]),
      );
    const perch = (...words: string[]) => as(process.execPath, main, ...words);
    const ok = async (...words: string[]) => succeeded(await perch(...words));
    const show = async (property: string) =>
      succeeded(await as("systemctl", "--user", "show", "perch.service", "--value", "--property", property)).trim();
    const status = async () => JSON.parse(await ok("status", "--json")) as Status;
    const servers = async () =>
      (await status()).clusters.flatMap(({ members }) => members.map(({ id, pid }) => `${id} ${pid}`));

    beforeAll(async () => {
      if (!canRead(user, main))
        throw new Error(`${user.name} cannot read ${repository}; clone it where every user can`);
      machine = await boot();
      // What a log-in does: a directory of the user's own, and his service manager. It has no units but his.
      succeeded(await machine.run(["install", "-d", "-m", "700", "-o", user.name, "-g", String(user.gid), runtime]));
      const units = join(temporaryDirectory(user), "units");
      mkdirSync(units);
      for (const target of ["default", "basic", "shutdown"])
        writeFileSync(join(units, `${target}.target`), "[Unit]\nDefaultDependencies=no\n");
      const environment = [
        `XDG_RUNTIME_DIR=${runtime}`,
        `HOME=${home}`,
        `SYSTEMD_UNIT_PATH=${home}/.config/systemd/user:${units}`,
      ];
      const settings = [
        `--uid=${user.uid}`,
        `--gid=${user.gid}`,
        "-p",
        "Delegate=yes",
        ...environment.flatMap((each) => ["-E", each]),
      ];
      succeeded(await machine.run(["chown", "-R", `${user.uid}:${user.gid}`, units]));
      succeeded(
        await machine.run(["systemd-run", "--quiet", "--unit=manager", ...settings, "/lib/systemd/systemd", "--user"]),
      );
      await eventually(
        "the user's manager answers",
        async () => (await as("systemctl", "--user", "is-active", "default.target")).stdout === "active\n",
      );
    });
    afterAll(async () => {
      await machine.end();
    });

    it("is installed without any right of root, and it is said what boot needs", async () => {
      const installed = await perch("systemd", "install");
      expect(succeeded(installed)).toContain(
        `${home}/.config/systemd/user/perch.service is written; perch.service starts when you log in and is active`,
      );
      expect(installed.stderr).toContain(
        `To have it from boot on, whether you are there or not: loginctl enable-linger ${user.name}`,
      );
      expect((await status()).network.mode).toBe("user");
      expect(await show("MainPID")).not.toBe("0");
      expect(existsSync(join(home, ".config/systemd/user/default.target.wants/perch.service"))).toBe(true);
      expect(succeeded(await machine.run(["cat", `/proc/${(await status()).daemon.pid}/status`]))).toMatch(
        /^NoNewPrivs:\s*1$[^]*^Seccomp:\s*2$/m,
      );
    });

    it("does all that an ordinary user's Perch does, and PostgreSQL goes on when it is restarted", async () => {
      await ok("postgres", "create", "--name", "pg", "--region", "ams", "--initial-cluster-size", "2");
      await ok("apps", "create", "web");
      await ok("postgres", "attach", "pg", "--app", "web");
      const query = () => ok("run", "-a", "web", "--", "sh", "-c", 'psql "$DATABASE_URL" -XAtc "SELECT 1"');
      expect(await query()).toBe("1\n");
      const [before, pid] = [await servers(), await show("MainPID")];
      succeeded(await as("systemctl", "--user", "restart", "perch.service"));
      expect(await show("MainPID")).not.toBe(pid);
      expect(await servers()).toEqual(before);
      expect(await query()).toBe("1\n");
    });

    it("stops PostgreSQL in order by systemctl stop, and is gone after uninstall", async () => {
      const members = (await servers()).map((server) => server.split(" ")[0] ?? "");
      succeeded(await as("systemctl", "--user", "stop", "perch.service"));
      expect(await show("Result")).toBe("success");
      for (const member of members)
        expect(existsSync(join(perchHome, "postgres", member, "data", "postmaster.pid"))).toBe(false);
      expect(await ok("systemd", "uninstall")).toContain("Removed perch.service");
      expect(existsSync(join(home, ".config/systemd/user/perch.service"))).toBe(false);
      expect(readFileSync(join(perchHome, "perch.db")).length).toBeGreaterThan(0);
    });

    it("cannot be installed where the user has no service manager, and says so", async () => {
      const without = await machine.run(
        asAccount(user, [
          "env",
          `HOME=${home}`,
          "XDG_RUNTIME_DIR=",
          `PERCH_HOME=${perchHome}`,
          process.execPath,
          main,
          "systemd",
          "install",
        ]),
      );
      expect(without).toMatchObject({ code: 1, stdout: "" });
      expect(without.stderr).toContain(
        "this user has no service manager of his own (XDG_RUNTIME_DIR names none) [systemd_missing]",
      );
    });
  },
);
