import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { findConfig, parseConfig } from "../../src/cli/config-file.ts";

describe("a configuration file", () => {
  it("gives app, primary region and [env], and leaves the rest of a fly.toml alone", () => {
    const text = `
app = "web"
primary_region = 'ams'

[build]
image = "x"

[env]
LOG_LEVEL = "debug"
PORT = 8080
DEBUG = true
"QUOTED" = "y"

[[services]]
app = 1
env = 2
`;
    expect(parseConfig(text, "fly.toml")).toEqual({
      app: "web",
      primaryRegion: "ams",
      env: { LOG_LEVEL: "debug", PORT: "8080", DEBUG: "true", QUOTED: "y" },
    });
  });

  it("may be empty", () => {
    expect(parseConfig("", "perch.toml")).toEqual({ env: {} });
  });

  it.each<[string, string, string, RegExp]>([
    ["text that is no TOML", 'app = "web"\nprimary_region = ams\n', "2:18", /not valid TOML/],
    ["a string that is not closed", 'app = "web\n', "1:", /not valid TOML/],
    ["an app that is no string", "\n  app = 7\n", "2:3", /app is not a string/],
    ["an app that is no name", 'app = "Web"', "1:1", /upper-case/],
    ["a region that is unknown", 'app = "web"\nprimary_region = "amz"', "2:1", /did you mean ams/],
    ["a variable of Perch's own", 'app="a"\n[env]\nOK = "1"\nFLY_REGION = "x"', "4:1", /FLY_/],
    ["a variable that is a list", "[env]\n  A = [1]", "2:3", /not a string/],
    ["a variable in dotted form", "env.A = [1]", "1:1", /not a string/],
    ["a variable in an inline table", "x = 1\nenv = { A = [1] }", "2:1", /not a string/],
    ["a name that is no variable", '[env]\n"A B" = "1"', "2:1", /no name/],
    ["an env that is no table", 'env = "x"', "1:1", /not a table/],
  ])("with %s is refused with line and column", (_, text, at, why) => {
    const read = () => parseConfig(text, "perch.toml");
    expect(read).toThrow(
      expect.objectContaining({ code: "config_file_invalid", message: expect.stringMatching(why) as string }) as Error,
    );
    expect(read).toThrow(`perch.toml:${at}`);
  });
});

describe("finding the file", () => {
  const made: string[] = [];
  afterEach(() => {
    for (const path of made.splice(0)) rmSync(path, { recursive: true });
  });
  const directory = (files: Record<string, string>): string => {
    const path = mkdtempSync(join(tmpdir(), "perch-config-"));
    made.push(path);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    return path;
  };

  it("takes perch.toml before fly.toml, and the named one before both", async () => {
    const both = directory({ "perch.toml": 'app = "one"', "fly.toml": 'app = "two"', "other.toml": 'app = "three"' });
    expect(await findConfig(both)).toMatchObject({ app: "one" });
    expect(await findConfig(both, "other.toml")).toMatchObject({ app: "three" });
    expect(await findConfig(directory({ "fly.toml": 'app = "two"' }))).toMatchObject({ app: "two" });
    expect(await findConfig(directory({}))).toBeUndefined();
  });

  it("says that a named file is not there", async () => {
    await expect(findConfig(directory({}), "absent.toml")).rejects.toMatchObject({
      code: "config_file_unreadable",
      message: "absent.toml cannot be read: ENOENT",
    });
  });
});
