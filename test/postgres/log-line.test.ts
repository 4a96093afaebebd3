import { describe, expect, it } from "vitest";
import { parseLogLine } from "../../src/postgres/log-line.ts";

const line = (fields: Record<string, unknown>): string =>
  JSON.stringify({ timestamp: "2026-11-24 06:32:36.123 UTC", error_severity: "ERROR", message: "no", ...fields });

describe("a line of PostgreSQL's JSON log", () => {
  it("is shown with its time, its level and all it says", () => {
    expect(parseLogLine(line({ detail: "why", hint: "how", statement: "SELECT 1" }))).toEqual({
      at: "2026-11-24T06:32:36.123Z",
      level: "ERROR",
      message: "no; detail: why; hint: how; statement: SELECT 1",
    });
  });

  it("loses its passwords", () => {
    const shown = parseLogLine(line({ statement: "ALTER ROLE x PASSWORD 'hunter2'", detail: "postgres://u:hunter2@h/d" }))?.message;
    expect(shown).not.toContain("hunter2");
  });

  it.each(["", "{", '{"timestamp":"2026', "plain text", "{}", "null"])("is none when it is %j", (text) => {
    expect(parseLogLine(text)).toBeUndefined();
  });
});
