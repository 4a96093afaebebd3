import assert from "node:assert/strict";
import { built, texts, type Target } from "../target.ts";

export const toml: Target = {
  name: "toml",
  claim: "a fly.toml of any bytes is a value, or an error of Perch with a line and a column that are in it",
  covers: [
    "cli/config-file",
    ...["parse", "struct", "primitive", "extract", "date", "error"].map(
      (part) => `node_modules/smol-toml/dist/${part}`,
    ),
  ],
  seeds: texts(
    'app = "web"\nprimary_region = "ams"\n\n[env]\nLOG_LEVEL = "debug"\nPORT = 8080\n"A" = true\n\n[[services]]\ninternal_port = 8080\n[services.x]\ny = 1\n',
    'app = \'a\'\nenv = { A = \'1\', B = """\nx\n""" }\n',
    "env.A = 1979-05-27T07:32:00Z\r\nenv.B = [1, 2.5e3, 0x1f, inf, nan]\r\n",
    '[env]\nFLY_X = ""\n',
    "primary_region = 7\napp = []\n[env]\n'' = 1\n",
  ),
  tokens: [
    "[env]",
    "[[env]]",
    "env.",
    "__proto__",
    "constructor",
    "'''",
    '"""',
    "\\u0000",
    "\\U0010FFFF",
    "=",
    "{",
    "}",
    "# ",
    "\r\n",
    "1e999",
    "[".repeat(2_000),
  ],
  longest: 8_192,
  runs: 3_000,
  async open() {
    const [{ parseConfig }, { PerchError }] = await Promise.all([
      built<typeof import("../../../src/cli/config-file.ts")>("cli/config-file"),
      built<typeof import("../../../src/errors/error.ts")>("errors/error"),
    ]);
    return {
      run(input) {
        const file = input.toString("utf8");
        try {
          const { app, primaryRegion, env } = parseConfig(file, "fly.toml");
          assert.match(app ?? "web", /^[a-z][a-z0-9-]{0,62}$/);
          assert.match(primaryRegion ?? "ams", /^[a-z]{3}$/);
          for (const [name, value] of Object.entries(env)) {
            assert.match(name, /^[A-Za-z_]\w*$/);
            assert.ok(typeof value === "string" && !value.includes("\0"));
          }
        } catch (error) {
          if (!(error instanceof PerchError)) throw error;
          assert.equal(error.code, "config_file_invalid");
          const [, line, column] = /^fly\.toml:(\d+):(\d+): ./.exec(error.message) ?? [];
          assert.ok(Number(line) >= 1 && Number(line) <= file.split("\n").length && Number(column) >= 1, error.message);
          assert.doesNotMatch(error.message, /[\p{Cc}\p{Cf}]/u, "control characters in an error");
        }
      },
    };
  },
};
