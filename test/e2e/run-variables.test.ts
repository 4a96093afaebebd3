import { chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ordinaryUser } from "../support/account.ts";
import type { Ended } from "../support/perch.ts";
import { openRemote, type RemoteSide } from "../support/remote.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/** What obeys a variable leaves a file named after the program that did. */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("variables that an app brings", () => {
  const world = worldIn();
  const { perch, ok } = world;
  const scratch = temporaryDirectory();
  const traps = join(scratch, "traps");
  const marks = join(scratch, "marks");
  let remote: RemoteSide;
  let deploy = "";
  /** The helpers between perch and the command, and those in them. */
  const helpers = ["nsenter", "unshare", "sh", "mount", "setpriv", "env", "node", "pasta", "ip", "nft", "cat"];
  const mark = `/bin/touch "${marks}/$(/usr/bin/basename "$0")"`;
  const module = `data:text/javascript,import{writeFileSync}from"node:fs";writeFileSync(${JSON.stringify(join(marks, "node"))},String(process.argv))`;
  const hostile: [name: string, value: string][] = [
    ["NODE_OPTIONS", `--import=${module}`],
    ["PATH", `${traps}:/usr/bin:/bin`],
    ["BASH_ENV", join(traps, "script")],
    ["ENV", join(traps, "script")],
    ["IFS", "/"],
    ["TMPDIR", join(traps, "none")],
    ["PERL5OPT", "-Mevil"],
    ["GCONV_PATH", traps],
    ["LD_LIBRARY_PATH", traps],
    ["LD_PRELOAD", join(traps, "absent.so")],
    ["LD_AUDIT", join(traps, "absent.so")],
    ["LD_DEBUG", "libs"],
    ["SHELLOPTS", "xtrace"],
    ["PS4", `$(${mark})`],
    ["NODE_REPL_EXTERNAL_MODULE", join(traps, "script")],
  ];
  const secret = (name: string, value: string) =>
    remote.ask({ method: "PUT", path: "/v1/apps/web/secrets", token: deploy, body: { secrets: { [name]: value } } });
  const unset = (name: string) =>
    remote.ask({ method: "POST", path: "/v1/apps/web/secrets/unset", token: deploy, body: { names: [name] } });
  const marked = () => readdirSync(marks);

  beforeAll(async () => {
    mkdirSync(traps);
    mkdirSync(marks, { mode: 0o777 });
    for (const name of helpers)
      writeFileSync(join(traps, name), `#!/bin/sh\n${mark}\nexec /usr/bin/${name} "$@"\n`, { mode: 0o755 });
    writeFileSync(join(traps, "script"), `/bin/touch ${marks}/script\n`);
    await ok("up");
    await ok("apps", "create", "web");
    remote = await openRemote(world);
    deploy = await remote.token("deploy", "--scope", "deploy", "--app", "web");
  });
  // One that an earlier test left would be a failure of that one.
  beforeEach(() => {
    for (const name of marked()) rmSync(join(marks, name));
  });

  it.each(hostile)(
    "are obeyed by no helper of perch run, with or without a published port, nor of perch shell: %s",
    async (name, value) => {
      expect((await secret(name, value)).status).toBe(200);
      const harmless = "/bin/true";
      const runs: Ended[] = [
        await perch(["run", "-a", "web", "--", harmless]),
        await perch(["run", "-a", "web", "--publish", "0:3000", "--", harmless]),
        await perch(["shell", "-a", "web"], { env: { SHELL: harmless } }),
      ];
      expect((await unset(name)).status).toBe(200);
      expect(marked()).toEqual([]);
      for (const { code, stderr } of runs) {
        expect(code, stderr).toBe(0);
        // The dynamic linker speaks of them once for each program that obeys, and that is the command alone.
        expect(
          (stderr.match(/cannot be preloaded|cannot open shared object file: No such file|initialize program: /g) ?? [])
            .length,
          stderr,
        ).toBeLessThan(3);
        expect(stderr).not.toMatch(/initialize program: (?:nsenter|unshare|sh|mount|setpriv|env)\b/);
      }
    },
  );

  it("reach the command itself as they are", async () => {
    for (const [name, value] of hostile.filter(([each]) => !each.startsWith("LD_"))) {
      await secret(name, value);
      expect((await perch(["run", "-a", "web", "--", "/usr/bin/printenv", name])).stdout, name).toBe(`${value}\n`);
      await unset(name);
    }
    // With the command's own PATH it is the command that is looked up there.
    await secret("PATH", `${traps}:/usr/bin:/bin`);
    await ok("run", "-a", "web", "--", "cat", "/dev/null");
    await unset("PATH");
    expect(marked()).toEqual(["cat"]);
    await perch(["run", "--", "rm", join(marks, "cat")], { cwd: "/" });
  });

  it("are obeyed by none when they come with --env, or from a file, or by a restart of --watch", async () => {
    const directory = join(scratch, "app");
    mkdirSync(directory);
    writeFileSync(
      join(directory, "fly.toml"),
      `app = "web"\n[env]\nPATH = "${traps}:/usr/bin:/bin"\nNODE_OPTIONS = ${JSON.stringify(`--import=${module}`)}\n`,
    );
    expect((await perch(["run", "--", "/bin/true"], { cwd: directory })).code).toBe(0);
    expect(
      (
        await perch([
          "run",
          "-a",
          "web",
          "-e",
          `PATH=${traps}:/bin`,
          "-e",
          `NODE_OPTIONS=--import=${module}`,
          "--",
          "/bin/true",
        ])
      ).code,
    ).toBe(0);
    const began = join(scratch, "began");
    const line = `echo "$PATH" >>${began}; exec /bin/sleep 60`;
    const watching = await world.begin(["run", "-a", "web", "--watch", "--", "/bin/sh", "-c", line]);
    await eventually("it runs", () => existsSync(began));
    await secret("PATH", `${traps}:/usr/bin:/bin`);
    await eventually("it has begun again", async () =>
      (await perch(["run", "--", "/bin/cat", began], { cwd: "/" })).stdout.includes(traps),
    );
    watching.kill("SIGTERM");
    await watching.ended;
    await unset("PATH");
    expect(marked()).toEqual([]);
  });

  it("are in no argument of any process while the command runs", async () => {
    await secret("PASSWORD", "hush-hush-hush");
    const { stdout } = await perch([
      "run",
      "-a",
      "web",
      "--",
      "/bin/sh",
      "-c",
      "cat /proc/[0-9]*/cmdline; echo; printenv PASSWORD | rev",
    ]);
    expect(stdout).toContain("hsuh-hsuh-hsuh");
    expect(stdout).not.toContain("hush-hush-hush");
    await unset("PASSWORD");
  });

  it("are not taken from a file that another user can write, unless it is named", async () => {
    const stranger = ordinaryUser();
    const directory = temporaryDirectory();
    const file = join(directory, "perch.toml");
    writeFileSync(file, `app = "web"\n[env]\nLD_PRELOAD = "${traps}/absent.so"\n`);
    const refused = async (cwd = directory) => {
      const ended = await perch(["run", "-a", "web", "--", "/bin/true"], { cwd });
      expect(ended).toMatchObject({ code: 2, stdout: "" });
      expect(ended.stderr).toContain("perch.toml is not used, for another user could choose what it says");
      expect(ended.stderr).toMatch(/\[config_file_untrusted\]\nNext: .+\n$/);
    };
    expect((await perch(["run", "--", "/bin/true"], { cwd: directory })).code).toBe(0);
    if (process.getuid?.() === 0) {
      chownSync(directory, stranger.uid, stranger.gid);
      await refused();
      expect((await perch(["run", "-c", "perch.toml", "--", "/bin/true"], { cwd: directory })).code).toBe(0);
      chownSync(directory, 0, 0);
      chownSync(file, stranger.uid, stranger.gid);
      await refused();
      chownSync(file, 0, 0);
    }
    await perch(["run", "--", "chmod", "a+w", "."], { cwd: directory });
    await refused();
  });
});

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("a token", () => {
  const world = worldIn();
  const scratch = temporaryDirectory();

  it("of any scope has perchd run no program of its choice as PostgreSQL", async () => {
    const evil = join(scratch, "bin");
    mkdirSync(evil);
    for (const name of ["postgres", "initdb", "pg_ctl"])
      writeFileSync(join(evil, name), `#!/bin/sh\ntouch ${scratch}/ran\n`, { mode: 0o755 });
    await world.ok("up");
    const remote = await openRemote(world);
    const token = await remote.token("boss", "--scope", "admin");
    for (const binaries of [evil, "", `${evil}/../bin`]) {
      const { frames } = await remote.ask({
        method: "POST",
        path: "/v1/clusters",
        token,
        body: { name: "pg", region: "ams", binaries },
      });
      expect(frames.at(-1)?.error).toMatchObject({
        code: "machine_only",
        message: expect.stringContaining("binaries") as string,
      });
    }
    expect(existsSync(join(scratch, "ran"))).toBe(false);
    expect((await world.status()).clusters).toEqual([]);
  });
});
