import { describe, expect, it } from "vitest";
import { loadCommand } from "../../src/cli/commands.ts";
import { flagName, parse } from "../../src/cli/parse.ts";

const parsed = async (name: string, ...words: string[]) => parse(await loadCommand(name), words);

describe("parsing", () => {
  it("gives every argument and flag of the command, defaults filled in", async () => {
    expect(await parsed("postgres create", "--name", "pg", "--initial-cluster-size=3")).toEqual({
      args: { cluster: undefined },
      flags: {
        name: "pg",
        region: "ams",
        initialClusterSize: 3,
        password: undefined,
        pgVersion: undefined,
        pgBin: undefined,
        json: false,
      },
      globals: {},
      help: false,
    });
  });

  it("leaves everything after the command of run to that command", async () => {
    const flagged = await parsed(
      "run",
      "-a",
      "web",
      "--env",
      "A=1",
      "--env",
      "B=2",
      "npm",
      "start",
      "-a",
      "x",
      "--",
      "--help",
    );
    expect(flagged.args).toEqual({ command: ["npm", "start", "-a", "x", "--", "--help"] });
    expect(flagged.flags).toMatchObject({ app: "web", env: ["A=1", "B=2"], watch: false });
    expect((await parsed("run", "-a", "web", "--", "ls", "--help")).args).toEqual({ command: ["ls", "--help"] });
    expect((await parsed("run")).args).toEqual({ command: [] });
  });

  it("takes the flags of every command before the words that are another program's", async () => {
    expect((await parsed("apps list", "--network", "blue")).globals).toEqual({ network: "blue" });
    expect((await parsed("run", "--host", "db:6643", "ls", "--network", "x")).globals).toEqual({ host: "db:6643" });
  });

  it("reads --no-install as a flag that was given", async () => {
    expect((await parsed("quickstart", "--no-install")).flags["noInstall"]).toBe(true);
    expect((await parsed("quickstart")).flags["noInstall"]).toBe(false);
  });

  it("sees --help wherever it stands", async () => {
    expect(await parsed("apps create", "web", "--help")).toMatchObject({ help: true });
    expect(await parsed("apps create", "-h")).toMatchObject({ help: true });
  });

  it.each<[string, string[], string]>([
    ["apps create", [], "missing required argument 'app'"],
    ["apps create", ["a", "b"], "too many arguments"],
    ["status", ["--jsn"], "Did you mean --json?"],
    ["postgres create", ["--name"], "argument missing"],
    ["postgres attach", ["pg", "--scheme", "mysql"], "Allowed choices are postgres, postgresql"],
  ])("perch %s %j is wrong usage, in one line with a code", async (name, words, text) => {
    const error = await parsed(name, ...words).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "usage_invalid",
      message: expect.stringContaining(text) as string,
      entry: { exit: 2 },
    });
    expect((error as Error).message).not.toContain("\n");
  });

  it.each(["0", "10", "x", "1.5", "-1", "", "1e0"])("a cluster of %j members is refused", async (size) => {
    await expect(parsed("postgres create", `--initial-cluster-size=${size}`)).rejects.toMatchObject({
      code: "size_invalid",
    });
  });

  it("writes names of flags with dashes", () => {
    expect(flagName("initialClusterSize")).toBe("initial-cluster-size");
  });
});
