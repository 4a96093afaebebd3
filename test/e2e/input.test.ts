import { beforeAll, describe, expect, it } from "vitest";
import { register } from "../../src/errors/register.ts";
import { succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { worldIn } from "../support/world.ts";

const names: readonly [name: string, code: keyof typeof register][] = [
  ["", "name_invalid"],
  ["a".repeat(64), "name_invalid"],
  ["Web", "name_invalid"],
  ["wéb", "name_invalid"],
  ["web🔑", "name_invalid"],
  ["1web", "name_invalid"],
  ["web-", "name_invalid"],
  ["web_x", "name_invalid"],
  ["web.x", "name_invalid"],
  ["web x", "name_invalid"],
  ["web\n", "name_invalid"],
  ["../web", "name_invalid"],
  ["$(id)", "name_invalid"],
  ["taken", "app_exists"],
  ["pg", "app_exists"],
];

const create = ["postgres", "create", "--name", "new"];
const commands: readonly [words: string[], exit: number, code: keyof typeof register][] = [
  [[...create, "--region", ""], 2, "region_invalid"],
  [[...create, "--region", "AMS"], 2, "region_invalid"],
  [[...create, "--region", "a;b"], 2, "region_invalid"],
  [[...create, "--region", "am\u{7}s"], 2, "region_invalid"],
  [[...create, "--password", "short"], 2, "password_invalid"],
  [[...create, "--password", "x".repeat(129)], 2, "password_invalid"],
  [[...create, "--password", "tab\tinside-it"], 2, "password_invalid"],
  [[...create, "--initial-cluster-size", "0"], 2, "size_invalid"],
  [[...create, "--initial-cluster-size", "10"], 2, "size_invalid"],
  [[...create, "--initial-cluster-size", "two"], 2, "size_invalid"],
  [[...create, "--pg-version", "9"], 2, "postgres_version_unsupported"],
  [[...create, "--pg-bin", "/nowhere"], 1, "postgres_binaries_missing"],
  [["postgres", "create"], 2, "usage_invalid"],
  [["postgres", "create", "one", "--name", "two"], 2, "usage_invalid"],
  [["postgres", "attach", "pg"], 2, "no_app"],
  [["postgres", "attach", "pg", "--app", "taken", "--variable-name", "FLY_X"], 2, "secret_name_invalid"],
  [["postgres", "attach", "pg", "--app", "taken", "--variable-name", "1X"], 2, "secret_name_invalid"],
  [["postgres", "attach", "nowhere", "--app", "taken"], 1, "app_not_found"],
  [["postgres", "status"], 2, "no_cluster"],
  [["postgres", "status", "-a", "taken"], 1, "not_a_cluster"],
  [["postgres", "destroy", "pg"], 2, "confirmation_needed"],
  [["postgres", "destroy", "taken", "--yes"], 1, "not_a_cluster"],
  [["apps", "destroy", "taken"], 2, "confirmation_needed"],
  [["apps", "destroy", "pg", "--yes"], 1, "app_is_cluster"],
  [["apps", "destroy", "nowhere", "--yes"], 1, "app_not_found"],
  [["secrets", "set", "-a", "nowhere", "A=1"], 1, "app_not_found"],
  [["secrets", "list"], 2, "no_app"],
  [["machine", "clone", "nowhere", "--region", "lhr"], 1, "machine_not_found"],
  [["machine", "destroy", "../../etc", "--yes"], 1, "machine_not_found"],
  [["postgres", "db", "create", "postgres", "-a", "pg"], 1, "database_protected"],
  [["postgres", "db", "create", "", "-a", "pg"], 2, "identifier_invalid"],
  [["postgres", "db", "drop", "template1", "-a", "pg", "--yes"], 1, "database_protected"],
  [["postgres", "db", "drop", "nowhere", "-a", "pg", "--yes"], 1, "database_not_found"],
  [["postgres", "users", "create", "perch", "-a", "pg"], 1, "user_protected"],
  [["postgres", "users", "rotate", "postgres", "-a", "pg", "--overlap", "1h"], 1, "rotation_at_once"],
  [["postgres", "users", "rotate", "postgres", "-a", "pg", "--overlap", "soon"], 2, "size_invalid"],
  [["postgres", "users", "rotate", "perch", "-a", "pg"], 1, "user_protected"],
  [["postgres", "users", "rotate", "nobody", "-a", "pg"], 1, "user_not_found"],
  [["postgres", "attach", "pg", "-a", "taken", "--rotate"], 1, "no_attachments"],
  [["postgres", "attach", "pg", "-a", "taken", "--rotate", "--yes"], 2, "usage_invalid"],
  [["postgres", "users", "drop", "postgres", "-a", "pg", "--yes"], 1, "user_protected"],
  [["postgres", "config", "update", "-a", "pg", "no_such_setting=1"], 2, "setting_unknown"],
  [["postgres", "config", "update", "-a", "pg", "max_connections=many"], 2, "setting_invalid"],
  [["postgres", "config", "update", "-a", "pg", "port=1"], 2, "setting_managed"],
  [["dig", "pg.internal", "MX"], 2, "usage_invalid"],
  [["dig", "pg.internal", "--region", "xyz"], 2, "region_invalid"],
  [["up", "--portable"], 1, "mode_fixed"],
  [["frobnicate"], 2, "command_unknown"],
  [["postgres", "frobnicate"], 2, "command_unknown"],
  [["apps", "create"], 2, "usage_invalid"],
  [["apps", "create", "a", "b"], 2, "usage_invalid"],
];

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("bad input", () => {
  const { perch, ok, client, create: createCluster } = worldIn();
  const empty = temporaryDirectory();
  /** Everything there is; a lag is nobody's doing, nor is perchd's memory. */
  const everything = async (): Promise<string> => {
    const params = { cluster: "pg" };
    const status = async () => {
      const { network, daemon, clusters, apps } = await client.call("status", {});
      return { network, pid: daemon.pid, since: daemon.since, clusters, apps };
    };
    const all = [
      status(),
      client.call("listApps", {}),
      client.call("listDatabases", { params }),
      client.call("listUsers", { params }),
    ];
    return JSON.stringify(await Promise.all(all), (key, value: unknown) =>
      key === "lagBytes" || key === "bytes" ? undefined : value,
    );
  };

  /** How a command was refused: the code it ended with and the one it named, and whatever should not be. */
  async function refusal(words: readonly string[]) {
    const before = await everything();
    const { code: exit, stdout, stderr } = await perch(words, { cwd: empty });
    const [first = "", next = "", ...more] = stderr.trimEnd().split("\n").slice(-2);
    const wrong = [
      ...(stdout === "" ? [] : [`stdout: ${stdout}`]),
      ...(/^Error: .+ \[\w+\]$/.test(first) && /^Next: .+$/.test(next) && more.length === 0
        ? []
        : [`not two lines: ${stderr}`]),
      ...(/[^\P{Cc}\n]|(?<!\\u)\{\w+\}|undefined|\[object/u.test(stderr) ? [`not for people: ${stderr}`] : []),
      ...((await everything()) === before ? [] : ["something changed"]),
    ];
    return { exit, code: /\[(\w+)\]$/.exec(first)?.[1], wrong };
  }

  beforeAll(async () => {
    await ok("up");
    await createCluster();
    await ok("apps", "create", "taken");
  });

  it.each(names)("no app and no cluster gets the name %j", async (name, code) => {
    const refused = { exit: register[code].exit, code, wrong: [] };
    expect(await refusal(["apps", "create", "--", name])).toEqual(refused);
    expect(await refusal(["postgres", "create", `--name=${name}`])).toEqual(refused);
  });

  it("a name that begins with a dash is no flag when it stands behind two dashes", async () => {
    expect(await refusal(["apps", "create", "--", "-web"])).toEqual({ exit: 2, code: "name_invalid", wrong: [] });
    expect(await refusal(["apps", "create", "-web"])).toEqual({ exit: 2, code: "usage_invalid", wrong: [] });
  });

  it.each(commands)(
    "is refused with its code and the next step, and nothing changes: perch %j",
    async (words, exit, code) => {
      expect(await refusal(words)).toEqual({ exit, code, wrong: [] });
    },
  );

  it("is told as one JSON value on stderr where --json was asked for", async () => {
    const ended = await perch(["apps", "create", "Web", "--json"]);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(JSON.parse(ended.stderr)).toEqual({
      error: {
        code: "name_invalid",
        message: 'app name "Web" is not valid: it has upper-case letters',
        next: register.name_invalid.next,
      },
    });
    const usage = await perch(["postgres", "list", "--frob", "--json"]);
    expect(JSON.parse(usage.stderr)).toMatchObject({
      error: { code: "usage_invalid", next: "Type: perch postgres list [flags]; or see: perch postgres list --help" },
    });
  });

  it("says what was meant where one letter is wrong", async () => {
    expect((await perch(["postgres", "attch", "pg"])).stderr).toContain("Did you mean perch postgres attach?");
    expect((await perch(["machine", "clone", "x", "--region", "lhr", "--aap", "pg"])).stderr).toContain("--app");
    expect((await perch(["apps", "create", "x", "--region", "amsx"])).stderr).toContain("did you mean ams?");
  });

  it("a password of any characters works in the connection string that is shown", async () => {
    const password = "p@ss:w/o%r#d?&='\"\\ é";
    const made = JSON.parse(
      await ok("postgres", "create", "--name", "odd", "--region", "ams", "--password", password, "--json"),
    ) as {
      connectionString: string;
    };
    expect(decodeURIComponent(new URL(made.connectionString).password)).toBe(password);
    expect(
      succeeded(
        await perch(["run", "--", "psql", made.connectionString, "-XAtc", "SELECT current_user"], { cwd: empty }),
      ),
    ).toBe("postgres\n");
    await ok("postgres", "destroy", "odd", "--yes");
  });
});
