import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { logLevel, openLog } from "../../src/base/log.ts";
import { fail } from "../../src/errors/error.ts";
import { temporaryDirectory } from "../support/temporary.ts";

/** A log and its lines so far. */
function listen(level?: string) {
  const lines: Record<string, unknown>[] = [];
  const log = openLog({ write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) }, level);
  return { log, lines, text: () => JSON.stringify(lines) };
}

describe("the log", () => {
  it("is one JSON object a line: level, time, fields, sentence", () => {
    const { log, lines } = listen("debug");
    log.info({ machine: "3d8d", port: 5433 }, "machine 3d8d started");
    log.warn("a sentence alone, with 100 %s in it");
    expect(lines).toEqual([
      {
        level: "info",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        machine: "3d8d",
        port: 5433,
        msg: "machine 3d8d started",
      },
      { level: "warn", time: expect.any(String), msg: "a sentence alone, with 100 %s in it" },
    ]);
  });

  it("is in the file when the call returns, one line after the other", () => {
    const path = join(temporaryDirectory(), "perchd.log");
    const fd = openSync(path, "a");
    const log = openLog(fd);
    for (let count = 1; count <= 100; count++) {
      log.info({ count }, "counted");
      expect(readFileSync(path, "utf8").trimEnd().split("\n")).toHaveLength(count);
    }
    closeSync(fd);
  });

  it("says what PERCH_LOG asks for and more serious things", () => {
    expect(logLevel({})).toBe("info");
    expect(logLevel({ PERCH_LOG: "DEBUG" })).toBe("debug");
    expect(logLevel({ PERCH_LOG: "loud" })).toBe("info");
    const { log, lines } = listen(logLevel({ PERCH_LOG: "warn" }));
    log.debug("not this");
    log.info("nor this");
    log.warn("this");
    log.error("and this");
    expect(lines.map((line) => line["msg"])).toEqual(["this", "and this"]);
    const silent = listen("silent");
    silent.log.error("nothing");
    expect(silent.lines).toEqual([]);
  });

  it("keeps an error's code, stack, causes and fields", () => {
    const { log, lines } = listen();
    const cause = Object.assign(new Error("ENOSPC"), { errno: -28, argv: ["initdb", "-D", "/data"] });
    log.error({ err: fail("disk_full", { path: "/data" }, cause) }, "a step failed");
    expect(lines[0]).toMatchObject({
      msg: "a step failed",
      err: {
        code: "disk_full",
        message: "the disk under /data is full",
        stack: expect.stringContaining("log.test.ts"),
      },
    });
    expect(lines[0]?.["err"]).toMatchObject({
      cause: { message: "ENOSPC", errno: -28, argv: ["initdb", "-D", "/data"] },
    });
  });

  it("holds no secret, wherever one comes in", () => {
    const { log, text } = listen();
    const url = "postgres://web:hunter2@pg.internal/web";
    const error = Object.assign(new Error(`cannot reach ${url}`, { cause: new Error("password=hunter2") }), {
      query: "alter role web password 'hunter2'",
    });
    log.info(url);
    log.info({ url }, url);
    log.info(
      { password: "hunter2", Token: "hunter2", env: { A: "hunter2" }, secrets: ["hunter2"], sealed: "hunter2" },
      "",
    );
    log.info({ deep: { list: [{ value: "hunter2", text: url }] } }, "");
    log.error({ err: error }, "with a sentence");
    log.error({ err: error, list: [error] }, "");
    log.error(error, "an error in place of fields");
    (log.error as unknown as (error: Error) => void)(error);
    expect(text().match(/\*\*\*/g)?.length).toBeGreaterThan(20);
    expect(text()).not.toContain("hunter2");
  });

  it("takes fields of any kind, and circles", () => {
    const { log, lines } = listen();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    log.info(
      { circle, nothing: undefined, none: null, when: new Date(0), never: new Date(Number.NaN), big: [1, true, "x"] },
      "odd",
    );
    expect(lines[0]).toMatchObject({
      none: null,
      when: "1970-01-01T00:00:00.000Z",
      never: null,
      big: [1, true, "x"],
      msg: "odd",
    });
  });

  it.skipIf(!existsSync("/dev/full"))("goes on though its disk is full", () => {
    const fd = openSync("/dev/full", "w");
    const log = openLog(fd);
    const write = () => {
      for (let line = 0; line < 20_000; line++) log.info("x".repeat(100));
    };
    expect(write).not.toThrow();
  });
});
