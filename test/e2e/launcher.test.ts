import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";

/**
 * The script `./perch` in a checkout with spaces in its path, and an npm of our own that writes down what it was asked
 * for.
 */
const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true });
});

const npm = `#!/bin/sh
echo "$@" >>npm.log
echo chatter of npm
case "$*" in
  ci*) mkdir -p node_modules; echo {} >node_modules/.package-lock.json ;;
  *build*) sleep "\${BUILD_SECONDS:-0}"; mkdir -p dist/cli; echo 'console.log(["ran", ...process.argv.slice(2)].join(" "))' >dist/cli/main.js ;;
esac
exit "\${NPM_EXIT:-0}"
`;

function checkout() {
  const base = mkdtempSync(join(tmpdir(), "perch-launcher-"));
  made.push(base);
  const root = join(base, "a clone with spaces");
  for (const directory of ["src/cli", "bin"]) mkdirSync(join(root, directory), { recursive: true });
  for (const file of ["package-lock.json", "tsconfig.json", "src/cli/main.ts"]) writeFileSync(join(root, file), "{}");
  writeFileSync(join(root, "bin/npm"), npm, { mode: 0o755 });
  copyFileSync(fileURLToPath(new URL("../../perch", import.meta.url)), join(root, "perch"));
  chmodSync(join(root, "perch"), 0o755);
  const env = { ...process.env, PATH: `${join(root, "bin")}:${dirname(process.execPath)}:/usr/bin:/bin` };
  const run = (args: string[] = [], options: { path?: string; env?: Record<string, string>; cwd?: string } = {}) => {
    const { status, stdout, stderr } = spawnSync(options.path ?? join(root, "perch"), args, {
      env: { ...env, ...options.env },
      encoding: "utf8",
      cwd: options.cwd ?? tmpdir(),
    });
    return { status, stdout, stderr };
  };
  const asked = () =>
    existsSync(join(root, "npm.log"))
      ? readFileSync(join(root, "npm.log"), "utf8")
          .trim()
          .split("\n")
          .map((line) => (line.startsWith("ci") ? "ci" : "build"))
      : [];
  const later = (path: string) => utimesSync(join(root, path), Date.now() / 1000 + 60, Date.now() / 1000 + 60);
  return { base, root, env, run, asked, later };
}

describe("./perch", () => {
  it("installs and builds on first use, keeps stdout clean, and then only runs", () => {
    const { run, asked } = checkout();
    const first = run(["status", "a b"]);
    expect(first).toMatchObject({ status: 0, stdout: "ran status a b\n" });
    expect(first.stderr).toMatch(/npm ci[\s\S]*building/);
    expect(run()).toEqual({ status: 0, stdout: "ran\n", stderr: "" });
    expect(asked()).toEqual(["ci", "build"]);
  });

  it("installs nothing through a link: the packages are another checkout's", () => {
    const { base, root, run, asked } = checkout();
    mkdirSync(join(base, "packages"));
    symlinkSync(join(base, "packages"), join(root, "node_modules"));
    expect(run().stdout).toBe("ran\n");
    expect(asked()).toEqual(["build"]);
  });

  it("installs what running needs, and the development tools only where they were", () => {
    const { root, run, later } = checkout();
    const installs = () =>
      readFileSync(join(root, "npm.log"), "utf8")
        .split("\n")
        .filter((line) => line.startsWith("ci"));
    run();
    expect(installs()).toEqual(["ci --ignore-scripts --omit=dev --no-progress --loglevel=error"]);
    mkdirSync(join(root, "node_modules/vitest"), { recursive: true });
    later("package-lock.json");
    run();
    expect(installs().slice(1)).toEqual(["ci --ignore-scripts --no-progress --loglevel=error"]);
  });

  it("builds again when a source is newer, and installs again when the lockfile is", () => {
    const { run, asked, later, root } = checkout();
    run();
    writeFileSync(join(root, "src/cli/more.ts"), "");
    run();
    expect(asked()).toEqual(["ci", "build", "build"]);
    later("package-lock.json");
    run();
    expect(asked().slice(3)).toEqual(["ci", "build"]);
  });

  it("works through a link, from any directory", () => {
    const { run, base } = checkout();
    symlinkSync("a clone with spaces/perch", join(base, "inner"));
    symlinkSync(join(base, "inner"), join(base, "outer"));
    expect(run(["x"], { path: join(base, "outer"), cwd: "/" })).toMatchObject({ status: 0, stdout: "ran x\n" });
  });

  it("survives the lock of a process that is gone", () => {
    const { run, root } = checkout();
    mkdirSync(join(root, ".perch-build"));
    const { pid } = spawnSync("true");
    writeFileSync(join(root, ".perch-build/pid"), `${pid}\n`);
    expect(run()).toMatchObject({ status: 0, stdout: "ran\n" });
    expect(existsSync(join(root, ".perch-build"))).toBe(false);
  });

  it("builds once when started twice at once", async () => {
    const { root, env, asked } = checkout();
    const start = () =>
      new Promise<number | null>((resolve) => {
        spawn(join(root, "perch"), [], { env: { ...env, BUILD_SECONDS: "0.5" }, stdio: "ignore" }).on("close", resolve);
      });
    expect(await Promise.all([start(), start()])).toEqual([0, 0]);
    expect(asked()).toEqual(["ci", "build"]);
  });

  it("says what failed, and leaves no lock", () => {
    const { run, root } = checkout();
    const failed = run([], { env: { NPM_EXIT: "1" } });
    expect(failed).toMatchObject({ status: 1, stdout: "" });
    expect(failed.stderr).toContain("npm ci failed");
    expect(existsSync(join(root, ".perch-build"))).toBe(false);
  });

  it("refuses an old Node and a missing one, with the version that is needed", () => {
    const { run, root } = checkout();
    writeFileSync(join(root, "bin/node"), "#!/bin/sh\necho v18.20.4\n", { mode: 0o755 });
    expect(run()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/20\.19 or newer is needed; .*bin\/node is v18\.20\.4/) as string,
    });
    writeFileSync(join(root, "bin/node"), "#!/bin/sh\nexit 127\n", { mode: 0o755 });
    expect(run().stderr).toContain("there is no node");
  });
});
