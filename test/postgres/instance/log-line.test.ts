import { describe, expect, it } from "vitest";
import { parseLogLine } from "../../../src/postgres/instance/log-line.ts";

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

  it("tells where a wrong password came from, and of nothing else that is refused", () => {
    const refused = (state_code: string, more = {}) =>
      parseLogLine(line({ state_code, remote_host: "fdaa::1", ...more }))?.wrongPasswordFrom;
    expect([refused("28P01"), refused("28000"), refused("28P01", { remote_host: "" })]).toEqual([
      "fdaa::1",
      undefined,
      undefined,
    ]);
  });

  it("loses its passwords", () => {
    const shown = parseLogLine(
      line({ statement: "ALTER ROLE x PASSWORD 'hunter2'", detail: "postgres://u:hunter2@h/d" }),
    )?.message;
    expect(shown).not.toContain("hunter2");
  });

  it.each(["", "{", '{"timestamp":"2026', "plain text", "{}", "null"])("is none when it is %j", (text) => {
    expect(parseLogLine(text)).toBeUndefined();
  });
});
