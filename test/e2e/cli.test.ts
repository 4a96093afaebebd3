import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Command } from "../../src/cli/command.ts";
import { loadAll } from "../../src/cli/commands.ts";
import { perchIn, repository, runToEnd, succeeded } from "../support/perch.ts";
import { tempHome, temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";

const home = tempHome();
const perch = perchIn(home);
const main = join(repository, "dist/cli/main.js");
const errorOf = (text: string) => (JSON.parse(text) as { error: { code: string; next: string } }).error;

describe("the CLI without a daemon", () => {
  it("says what is wrong, with a code, on stderr, and ends with 2 for wrong usage", async () => {
    for (const args of [
      ["nonsense"],
      ["postgres", "nonsense"],
      ["apps", "create"],
      ["status", "--nonsense"],
      ["--nonsense"],
    ]) {
      const ended = await perch(args);
      expect(ended, args.join(" ")).toMatchObject({ code: 2, stdout: "" });
      expect(ended.stderr).toMatch(/^Error: .* \[(usage_invalid|command_unknown)\]\nNext: /);
    }
  });

  it("puts errors on stderr as one JSON value with --json, and nothing on stdout", async () => {
    const status = await perch(["status", "--json"]);
    expect(status).toMatchObject({ code: 1, stdout: "" });
    expect(errorOf(status.stderr)).toMatchObject({ code: "daemon_not_running", next: "Start it with: perch up" });
    const usage = await perch(["status", "--json", "--nonsense"]);
    expect(usage.code).toBe(2);
    expect(errorOf(usage.stderr).code).toBe("usage_invalid");
  });

  it("answers every command that has --json with one value, on stdout or, as an error, on stderr", async () => {
    const commands = (await loadAll()).filter(
      ({ name, needs }) => needs.includes("json") && name !== "systemd install",
    );
    expect(commands.length).toBeGreaterThan(60);
    const words = ({ name, args, flags, needs }: Command): string[] => [
      ...name.split(" "),
      ...Object.entries(args).flatMap(([arg, { optional }]) =>
        optional === true ? [] : [arg === "database" ? "shop" : "pg"],
      ),
      ...(needs.includes("app") || (needs.includes("cluster") && !("cluster" in args)) ? ["-a", "pg"] : []),
      // What needs no perchd would do its work.
      ...(needs.includes("daemon") ? ("yes" in flags ? ["--yes"] : []) : ["--nonsense"]),
      "--json",
    ];
    const waiting = commands.map(words);
    const next = async (): Promise<void> => {
      const line = waiting.shift();
      if (line === undefined) return;
      const ended = await perch(line);
      expect([1, 2], line.join(" ")).toContain(ended.code);
      // perch doctor: that nothing runs is what it was asked for.
      const [value, nothing] = line[0] === "doctor" ? [ended.stdout, ended.stderr] : [ended.stderr, ended.stdout];
      expect(nothing, line.join(" ")).toBe("");
      expect(JSON.parse(value), line.join(" ")).toMatchObject(
        line[0] === "doctor" ? { ok: false } : { error: { code: expect.any(String) as string } },
      );
      return next();
    };
    await Promise.all([next(), next(), next(), next()]);
  });

  it("puts itself on the PATH, under other names, too, and replaces nothing that is not its own", async () => {
    const dir = temporaryDirectory();
    const links = await perch(["install-cli", "--dir", dir, "--as", "fly", "--json"]);
    expect(JSON.parse(succeeded(links))).toMatchObject({
      links: ["perch", "fly", "flyctl"].map((name) => join(dir, name)),
    });
    expect(succeeded(await runToEnd([join(dir, "flyctl"), "version"]))).toMatch(/^perch \d/);
    const wrong = await runToEnd([join(dir, "fly"), "pg", "attach"], { env: { PERCH_HOME: home } });
    expect(wrong.stderr).toMatch(
      /^Error: fly pg attach: missing .*\nNext: Type: fly pg attach \[flags\] <cluster>; for example: fly postgres attach /,
    );
    expect(await runToEnd([join(dir, "flyctl"), "apps", "list"], { env: { PERCH_HOME: home } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("Next: Start it with: flyctl up\n") as string,
    });
    writeFileSync(join(dir, "taken"), "mine");
    const refused = await perch(["install-cli", "--dir", dir, "--as", "other", "--as", "taken"]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("[file_refused]") as string });
    expect(readdirSync(dir).toSorted()).toEqual(["fly", "flyctl", "perch", "taken"]);
    expect((await perch(["install-cli", "--dir", dir, "--as", "../x"])).code).toBe(2);
    succeeded(await perch(["install-cli", "--dir", dir, "--as", "fly", "--remove"]));
    expect(readdirSync(dir).toSorted()).toEqual(["perch", "taken"]);
  });

  it("prints help and version on stdout", async () => {
    expect(succeeded(await perch([]))).toContain("perch quickstart");
    for (const line of ["help pg create", "pg help create", "--help pg create", "pg create -h"])
      expect(succeeded(await perch(line.split(" "))), line).toContain("--initial-cluster-size");
    expect(succeeded(await perch(["--version"]))).toMatch(/^perch \d+\.\d+\.\d+\n$/);
  });

  it("ends quietly when its reader has enough, and says so when its output cannot be written", async () => {
    const reader = await runToEnd(["sh", "-c", `"$0" "$1" completion fish | head -c 10`, process.execPath, main]);
    expect(reader).toMatchObject({ code: 0, stdout: "# fish com", stderr: "" });
    const deaf = await runToEnd([
      "bash",
      "-c",
      '"$0" "$1" nonsense 2>&1 | true; exit "${PIPESTATUS[0]}"',
      process.execPath,
      main,
    ]);
    expect(deaf.code).toBe(2);
    const full = await runToEnd(["sh", "-c", `"$0" "$1" completion fish >/dev/full`, process.execPath, main]);
    expect(full).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Error: .*ENOSPC.*\[internal\]\n/) as string,
    });
  });

  it("takes down what is not up", async () => {
    expect(succeeded(await perch(["down"]))).toContain("is not running");
  });
});

describe.skipIf(missingTools("ip", "nft", "nsenter", "unshare"))("the CLI with a daemon", () => {
  let upTexts: string[] = [];
  beforeAll(async () => {
    upTexts = (await Promise.all([perch(["up"]), perch(["up"])])).map(succeeded).toSorted();
    succeeded(await perch(["apps", "create", "web"]));
  });
  afterAll(async () => {
    succeeded(await perch(["down"]));
  });

  it("is started by one of two at once; the other waits and says so", () => {
    expect(upTexts).toEqual([
      expect.stringContaining("Perch is already running"),
      expect.stringContaining("Perch is up"),
    ]);
  });

  it("gives --json one value on stdout and nothing on stderr", async () => {
    const status = await perch(["status", "--json"]);
    expect(status).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(status.stdout)).toMatchObject({
      network: { prefix: expect.stringMatching(/^fdaa:/) as string },
      clusters: [],
      apps: [{ name: "web", runs: 0 }],
    });
    expect(JSON.parse((await perch(["events", "--json"])).stdout)).toBeInstanceOf(Array);
  });

  it("sets secrets from arguments, from stdin and from lines, and runs with them", async () => {
    succeeded(await perch(["secrets", "set", "-a", "web", "A=1", "B=two words"]));
    succeeded(await perch(["secrets", "set", "-a", "web", "C=-"], { input: 'a "b"\nc\n' }));
    succeeded(await perch(["secrets", "import", "-a", "web"], { input: 'D="""\nx\ny\n"""\n' }));
    const listed = succeeded(await perch(["secrets", "list", "-a", "web"]));
    expect(listed).toMatch(/^NAME +DIGEST +SET AT\nA /);
    expect(listed).not.toContain("two words");
    expect(succeeded(await perch(["run", "-a", "web", "--", "sh", "-c", 'printf "[%s]" "$A" "$B" "$C" "$D"']))).toBe(
      '[1][two words][a "b"\nc][x\ny]',
    );
    expect(succeeded(await perch(["secrets", "unset", "-a", "web", "A", "B", "C", "D", "E"]))).toContain("A, B, C, D");
  });

  it("runs with the file of the directory, and its errors have line and column", async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, "fly.toml"), 'app = "web"\nprimary_region = "lhr"\n[env]\nPORT = 8080\n');
    const script = 'echo "$FLY_APP_NAME $FLY_REGION $PRIMARY_REGION $PORT"';
    expect(succeeded(await perch(["run", "sh", "-c", script], { cwd }))).toBe("web lhr lhr 8080\n");
    expect(
      succeeded(await perch(["run", "--region", "ams", "--env", "PORT=1", "--", "sh", "-c", script], { cwd })),
    ).toBe("web ams lhr 1\n");
    writeFileSync(join(cwd, "perch.toml"), 'app = "web"\n[env\n');
    expect(await perch(["run", "true"], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/perch\.toml:2:\d+: .*\[config_file_invalid\]/) as string,
    });
  });

  it("does not destroy without a word when nobody can be asked, and nothing where one of the names is wrong", async () => {
    expect(await perch(["apps", "destroy", "web"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining("[confirmation_needed]") as string,
    });
    expect(await perch(["apps", "destroy", "web", "nosuch", "--yes"])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining('app "nosuch" does not exist [app_not_found]') as string,
    });
    expect(succeeded(await perch(["apps", "list"]))).toMatch(/^web /m);
  });

  it("tells who ran without an app how one is named", async () => {
    const cwd = temporaryDirectory();
    expect(await perch(["run", "web", "npm", "start"], { cwd })).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/\[command_is_app\]\nNext: .*perch run -a web -- npm start\n/) as string,
    });
    expect(await perch(["run", "sh", "-c", 'exit "${DATABASE_URL:-5}"'], { cwd })).toMatchObject({
      code: 5,
      stderr: expect.stringContaining("without an app, so it had no secrets") as string,
    });
    expect(await perch(["ssh", "console", "web", "-C", 'echo "$FLY_APP_NAME"'], { cwd })).toMatchObject({
      code: 0,
      stdout: "web\n",
      stderr: "",
    });
  });

  it.each<[string, string[], number, string]>([
    ["the command's own exit code", ["sh", "-c", "exit 7"], 7, ""],
    ["128 and the signal that ended it", ["sh", "-c", "kill -TERM $$"], 143, ""],
    ["127 for what does not exist", ["no-such-command"], 127, "command_not_found"],
    ["126 for what cannot be run", ["/etc/passwd"], 126, "command_not_executable"],
    ["2 for no command at all", [], 2, "no_command"],
  ])("run ends with %s", async (_, command, code, error) => {
    const ended = await perch(["run", "-a", "web", "--", ...command]);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toContain(error);
    expect(JSON.parse((await perch(["machine", "list", "-a", "web", "--json"])).stdout)).toEqual([]);
  });

  it("run hands signals on and waits for what the command makes of them", async () => {
    const script = 'trap "echo heard; exit 9" TERM; echo ready; while :; do sleep 0.05; done';
    const child = spawn(process.execPath, [main, "run", "-a", "web", "--", "sh", "-c", script], {
      env: { ...process.env, PERCH_HOME: home },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (said === "ready\n") child.kill("SIGTERM");
    });
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(9);
    expect(said).toBe("ready\nheard\n");
  });

  it("run --watch starts the command again when its secrets change", async () => {
    const child = spawn(
      process.execPath,
      [main, "run", "-a", "web", "--watch", "--", "sh", "-c", 'echo "V=$V"; exec sleep 60'],
      {
        env: { ...process.env, PERCH_HOME: home },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    const closed = new Promise((resolve) => child.on("close", resolve));
    await expect.poll(() => said, { timeout: 10_000 }).toBe("V=\n");
    succeeded(await perch(["secrets", "set", "-a", "web", "V=1"]));
    await expect.poll(() => said, { timeout: 10_000 }).toBe("V=\nV=1\n");
    child.kill("SIGTERM");
    expect(await closed).toBe(143);
  });

  it("down after a kill of perchd ends what it left", async () => {
    const { pid } = JSON.parse(readFileSync(join(home, "perchd.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    const ended = await perch(["down"]);
    expect(succeeded(ended)).toContain("Perch is down");
    expect(ended.stderr).toContain("did not say goodbye");
    succeeded(await perch(["up"]));
  });
});
