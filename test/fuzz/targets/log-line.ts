import assert from "node:assert/strict";
import { built, texts, type Target } from "../target.ts";

const password = "correct-horse";
const line = (more: object) =>
  JSON.stringify({ timestamp: "2026-11-24 06:32:36.123 UTC", error_severity: "ERROR", message: "x", ...more });

export const logLine: Target = {
  name: "log-line",
  claim:
    "a line of PostgreSQL's log of any bytes is one line with text in it or none, quickly, and never shows the password of a URL or of a statement",
  covers: ["postgres/instance/log-line", "base/redact", "base/sql-password"],
  seeds: texts(
    line({ statement: "ALTER ROLE web PASSWORD 'it''s'", detail: "postgres://web:hunter2@pg.internal:5432/web" }),
    line({ state_code: "28P01", remote_host: "fdaa:3f9a:12bc:ffff::1", message: "password authentication failed" }),
    line({ hint: 'password="a\\"b" token: x, secret=y --db-password z', context: "SCRAM-SHA-256$4096:abc$def:ghi" }),
    line({ message: `perch_${"a".repeat(43)}.${"b".repeat(43)}` }),
    line({ statement: `ALTER ROLE web ${"PASSWORD /*".repeat(20)}${"*/".repeat(20)} 'x'` }),
    "null",
    "[]",
    '"x"',
  ),
  tokens: [
    "password",
    "password='",
    'password="',
    "\\\\",
    "''",
    "://",
    ":",
    "@",
    "token=",
    "--x-password ",
    "PASSWORD '",
    "PASSWORD /*".repeat(3_000),
    "*/".repeat(3_000),
    "perch_",
    "SCRAM-SHA-256$",
    "timestamp",
    "null",
    "a".repeat(500),
    "PASSWORD ",
    "$$",
    "$a$",
    "U&'",
    "E'",
    "/*",
    "*/",
    "--",
    "UESCAPE '!'",
    "token :=",
    "=>",
    "'secret',",
  ],
  longest: 65_536,
  runs: 15_000,
  async open() {
    const { parseLogLine } =
      await built<typeof import("../../../src/postgres/instance/log-line.ts")>("postgres/instance/log-line");
    return {
      run(input) {
        const found = parseLogLine(input.toString("utf8"));
        if (found !== undefined) for (const value of Object.values(found)) assert.equal(typeof value, "string");
        const said = parseLogLine(
          line({
            message: `${input.toString("latin1").replaceAll(/\s/g, "")} postgres://web:${password}@pg.internal/x`,
          }),
        );
        assert.ok(said !== undefined && !said.message.includes(password), said?.message);
        const inside = input.toString("latin1").replaceAll(/['\\$]/g, "");
        for (const literal of [
          `'${inside}${password}'`,
          ["$$", inside, password, "$$"].join(""),
          `U&'${inside}''${password}'`,
          `E'${inside}\\'${password}`,
        ]) {
          for (const given of ["PASSWORD /* /* */ x */", "PASSWORD =>", "api_token :=", "'secret', "]) {
            const hidden = parseLogLine(line({ statement: `ALTER ROLE web ${given} ${literal}` }));
            assert.ok(hidden !== undefined && !hidden.message.includes(password), hidden?.message);
          }
        }
      },
    };
  },
};
