import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { repository, runToEnd, start } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

const main = join(repository, "dist/cli/main.js");

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "script"))("perch run", () => {
  const { perch, root, ok, begin } = worldIn();
  const scratch = temporaryDirectory();
  const run = (...command: string[]) => perch(["run", "-a", "web", "--", ...command]);
  const shell = (line: string) => run("sh", "-c", line);
  /** At a terminal of its own, into which `typed` is typed when the file `ready` is there. */
  const atTerminal = (line: string, typed = "") => {
    const files = { READY: join(scratch, "ready"), DONE: join(scratch, "done"), TYPED: typed };
    const type =
      'until [ -e "$READY" ]; do sleep 0.02; done; printf "$TYPED"; until [ -e "$DONE" ]; do sleep 0.02; done';
    // exec: a shell in between would end by the terminal's Ctrl-C itself, as dash does, and its exit code hide perch's.
    const perchRun = `exec '${process.execPath}' '${main}' run -a web -- sh -c '${line}; touch $DONE; exit $code'`;
    const argv = ["sh", "-c", `(${type}) | script -qec "$0" /dev/null`, perchRun];
    return runToEnd(argv, { env: { PERCH_HOME: root, ...files, TERM: "xterm" } });
  };

  beforeAll(async () => {
    await ok("up");
    await ok("apps", "create", "web", "--region", "lhr");
  });

  it.each([
    [0, "true"],
    [7, "exit 7"],
    [127, "no-such-command-at-all"],
    [130, "kill -INT $$"],
    [137, "kill -KILL $$"],
    [143, "kill -TERM $$"],
  ])("ends with %i as the command does: %s", async (code, line) => {
    expect((await shell(line)).code).toBe(code);
  });

  it("says by itself that a command does not exist (127) or cannot be run (126), and leaves no machine", async () => {
    const missing = await run("no-such-command-at-all");
    expect([missing.code, missing.stdout]).toEqual([127, ""]);
    expect(missing.stderr).toMatch(
      /^Error: no-such-command-at-all: command not found \[command_not_found\]\nNext: .+\n$/,
    );
    const plain = join(scratch, "plain");
    writeFileSync(plain, "echo hi\n", { mode: 0o644 });
    for (const path of [plain, scratch]) {
      const ended = await run(path);
      expect(ended.code, path).toBe(126);
      expect(ended.stderr, path).toContain(`${path}: cannot be executed [command_not_executable]`);
    }
    expect((await run("./nowhere/at-all")).code).toBe(127);
    expect(JSON.parse(await ok("machine", "list", "--json"))).toEqual([]);
  });

  it("adds nothing to what the command writes, and takes nothing from what it reads", async () => {
    const ended = await perch(["run", "-a", "web", "--", "sh", "-c", "cat; echo err >&2"], {
      input: "a\0b\nno newline",
    });
    expect(ended).toMatchObject({ code: 0, stdout: "a\0b\nno newline", stderr: "err\n" });
    const much = "x".repeat(1_000_000);
    expect((await perch(["run", "-a", "web", "--", "cat"], { input: much })).stdout).toBe(much);
    expect(
      (
        await runToEnd(["sh", "-c", `'${process.execPath}' '${main}' run -a web -- yes | head -n 2`], {
          env: { PERCH_HOME: root },
        })
      ).stdout,
    ).toBe("y\ny\n");
  });

  it("leaves flags behind the command to the command, with -- and without", async () => {
    expect(await ok("run", "-a", "web", "--", "printf", "%s|", "--region", "-a", "--", "--help", "")).toBe(
      "--region|-a|--|--help||",
    );
    expect(await ok("run", "-a", "web", "printf", "%s|", "--region", "-a")).toBe("--region|-a|");
  });

  it("runs where it was called, as who called it", async () => {
    expect((await perch(["run", "-a", "web", "--", "pwd"], { cwd: scratch })).stdout).toBe(`${scratch}\n`);
    expect((await run("id", "-u")).stdout).toBe(`${process.getuid?.()}\n`);
  });

  it.each(["SIGTERM", "SIGHUP", "SIGINT", "SIGUSR1"] as const)(
    "passes %s on, and ends as the command then ends",
    async (signal) => {
      const name = signal.slice(3);
      const running = await begin([
        "run",
        "-a",
        "web",
        "--",
        "sh",
        "-c",
        `trap 'echo got ${name}; exit 9' ${name}; echo ready; while :; do sleep 0.05; done`,
      ]);
      await eventually("the command is ready", () => running.stdout() === "ready\n");
      running.kill(signal);
      expect(await running.ended).toMatchObject({ code: 9, stdout: `ready\ngot ${name}\n`, stderr: "" });
    },
  );

  it("gives the command the terminal", async () => {
    const ended = await atTerminal(
      "tty; test -t 0 && test -t 1 && test -t 2; code=$?; stty size >/dev/null || code=3; touch $READY",
    );
    expect(ended.stdout).toMatch(/^\/dev\/pts\/\d+\r\n/);
    expect(ended.code).toBe(0);
  });

  it("leaves Ctrl-C at the terminal to the command, once", async () => {
    for (const name of ["ready", "done"]) await runToEnd(["rm", "-f", join(scratch, name)]);
    const ended = await atTerminal(
      'n=0; code=0; trap "n=\\$((n+1))" INT; touch $READY; until [ $n -gt 0 ]; do sleep 0.05; done; sleep 0.2; echo caught $n',
      "\\003",
    );
    expect(ended.stdout).toContain("caught 1\r\n");
    expect(ended.code).toBe(0);
    expect(existsSync(join(scratch, "done"))).toBe(true);
  });

  it("shell opens the user's shell, with the same", async () => {
    const ended = await perch(["shell", "-a", "web"], {
      input: 'echo "$0 $FLY_APP_NAME"; exit 5\n',
      env: { SHELL: "/bin/sh" },
    });
    expect(ended).toMatchObject({ code: 5, stdout: "/bin/sh web\n" });
  });

  it.each([
    [["run", "-a", "web"], 2, "there is no command to run [no_command]"],
    [["run", "-a", "web", "--"], 2, "[no_command]"],
    [["run", "-a", "web", "--", ""], 2, "[no_command]"],
    [["run", "-a", "nobody", "--", "touch", "made"], 1, 'app "nobody" does not exist [app_not_found]'],
    [["run", "-a", "Web!", "--", "touch", "made"], 2, "it has upper-case letters [name_invalid]"],
    [
      ["run", "-a", "web", "--region", "lhx", "--", "touch", "made"],
      2,
      'region "lhx" is not known; did you mean lax or lhr or phx? [region_invalid]',
    ],
    [
      ["run", "-a", "web", "--region", "../../etc", "--", "touch", "made"],
      2,
      'region "../../etc" is not known [region_invalid]',
    ],
    [["run", "-a", "web", "--region", "", "--", "touch", "made"], 2, "[region_invalid]"],
    [["run", "-a", "web", "--env", "novalue", "--", "touch", "made"], 2, "[env_pair_invalid]"],
    [["run", "-a", "web", "--env", "FLY_REGION=iad", "--", "touch", "made"], 2, "[usage_invalid]"],
    [["run", "-a", "web", "--no-such-flag", "--", "touch", "made"], 2, "[usage_invalid]"],
  ])("runs nothing for %j", async (words, code, sentence) => {
    const ended = await perch(words, { cwd: scratch });
    expect(ended.code).toBe(code);
    expect(ended.stdout).toBe("");
    expect(ended.stderr).toContain(sentence);
    expect(ended.stderr).toMatch(/\nNext: .+\n(?: {6}.+\n)*$/);
    expect(existsSync(join(scratch, "made"))).toBe(false);
  });

  it("works without an app, and then has no secrets and no machine", async () => {
    const empty = join(scratch, "empty");
    mkdirSync(empty);
    const ended = await perch(["run", "--", "sh", "-c", 'echo "$FLY_REGION [$FLY_APP_NAME] [$FLY_MACHINE_ID]"'], {
      cwd: empty,
    });
    expect(ended).toMatchObject({ code: 0, stdout: "ams [] []\n" });
  });

  it("does not say that Perch is not running where perch is typed inside a run", async () => {
    for (const words of [["status"], ["up"], ["run", "-a", "web", "--", "true"]]) {
      const ended = await perch(["run", "-a", "web", "--", process.execPath, main, ...words], { cwd: "/" });
      expect(ended.stderr).toMatch(/\[inside_run\]\nNext: Type it outside of perch run\.\n$/);
      expect(ended.code).toBe(1);
    }
  });

  it("refuses a run that the daemon does not know of", async () => {
    const other = temporaryDirectory();
    const running = await start([process.execPath, main, "run", "-a", "web", "--", "true"], {
      env: { PERCH_HOME: join(other, "none") },
    });
    const ended = await running.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/\[daemon_not_running\]\nNext: Start it with: perch up\n$/);
  });
});
