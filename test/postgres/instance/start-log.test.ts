import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { beginStartLog, startLines } from "../../../src/postgres/instance/start-log.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const at = "2026-11-28T08:00:00.000Z";

describe("what a server said before it had its log", () => {
  it("is PostgreSQL's with its moment and level, and the loader's with neither", () => {
    const text = [
      '2026-11-28 07:59:59.123 UTC [4711] FATAL:  could not access file "own": No such file or directory',
      '2026-11-28 07:59:59.124 UTC [4711] LOG:  unrecognized configuration parameter "ho" in file "/x/perch.conf" line 3',
      "2026-11-28 07:59:59.124 UTC [4711] HINT:  Look at it.",
      "2026-11-28 07:59:59.125 UTC [4711] LOG:  redirecting log output to logging collector process",
      "2026-11-28 07:59:59.125 UTC [4711] HINT:  Future log output will appear in directory.",
      "/usr/lib/postgresql/15/bin/postgres: error while loading shared libraries: libssl.so.3: cannot open shared object file",
      "",
    ].join("\n");
    expect(startLines(text, at)).toEqual([
      {
        at: "2026-11-28T07:59:59.123Z",
        level: "FATAL",
        message: 'could not access file "own": No such file or directory',
      },
      {
        at: "2026-11-28T07:59:59.124Z",
        level: "LOG",
        message: 'unrecognized configuration parameter "ho" in file "/x/perch.conf" line 3; hint: Look at it.',
      },
      {
        at,
        level: "STDERR",
        message:
          "/usr/lib/postgresql/15/bin/postgres: error while loading shared libraries: libssl.so.3: cannot open shared object file",
      },
    ]);
  });

  it("has no password that a setting held", () => {
    const line =
      "2026-11-28 07:59:59.123 UTC [1] LOG:  invalid value: postgres://web:geheim@pg.internal/web\nprimary_conninfo = 'password=geheim'\n";
    expect(JSON.stringify(startLines(line, at))).not.toContain("geheim");
  });

  it("is followed through what is added and through the file of the next start", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "start.log"), "one\n");
    const { past, follow } = await beginStartLog(directory);
    expect(past.map(({ message }) => message)).toEqual(["one"]);
    const stop = new AbortController();
    const feed = follow(stop.signal);
    const next = async () => ((await feed.next()).value as { message: string }).message;
    writeFileSync(join(directory, "start.log"), "one\ntwo\n");
    expect(await next()).toBe("two");
    writeFileSync(join(directory, "next"), "three\n");
    renameSync(join(directory, "next"), join(directory, "start.log"));
    expect(await next()).toBe("three");
    const end = feed.next();
    stop.abort();
    expect((await end).done).toBe(true);
  });

  it("is nothing where there is none, or somebody put something else there", async () => {
    const directory = temporaryDirectory();
    expect((await beginStartLog(directory)).past).toEqual([]);
    writeFileSync(join(directory, "secret"), "secret\n");
    symlinkSync(join(directory, "secret"), join(directory, "start.log"));
    expect((await beginStartLog(directory)).past).toEqual([]);
    const other = temporaryDirectory();
    mkdirSync(join(other, "start.log"));
    expect((await beginStartLog(other)).past).toEqual([]);
  });
});
