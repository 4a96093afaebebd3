import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Layout } from "../../../src/postgres/instance/directory.ts";
import { boundLog, logBound, logsBounded, logsToRemove } from "../../../src/postgres/instance/log-bound.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const day = 24 * 60 * 60 * 1000;
const now = 100 * day;
const file = (name: string, bytes: number, daysAgo: number) => ({ name, bytes, modified: now - daysAgo * day });
const none: ReadonlySet<string> = new Set();

describe("of a server's log", () => {
  it("the oldest files go until the rest is within the bound, the oldest first", () => {
    const files = [file("c.json", 40, 1), file("a.json", 40, 3), file("d.json", 40, 0), file("b.json", 40, 2)];
    expect(logsToRemove(files, none, now, { ...logBound, bytes: 80 })).toEqual(["a.json", "b.json"]);
    expect(logsToRemove(files, none, now, { ...logBound, bytes: 160 })).toEqual([]);
    expect(logsToRemove(files, none, now, { ...logBound, files: 3 })).toEqual(["a.json"]);
  });

  it("files go by age, however small, and those of 0.1.0 with them", () => {
    const files = [
      file("postgresql-Mon.json", 1, 14.5),
      file("postgresql-Tue.json", 1, 13.5),
      file("postgresql-2026-11-28_060000.json", 1, 0),
    ];
    expect(logsToRemove(files, none, now, logBound)).toEqual(["postgresql-Mon.json"]);
  });

  it("what is being written stays, however long and old, and so does the newest of each kind", () => {
    const files = [
      file("x.log", 1, 40),
      file("y.log", 1, 30),
      file("a.json", 500, 20),
      file("b.json", 500, 10),
      file("c.json", 500, 0),
    ];
    expect(logsToRemove(files, new Set(["a.json"]), now, { ...logBound, bytes: 100 })).toEqual(["x.log", "b.json"]);
  });

  it("files are looked at when one has come, and once a minute for those that have grown", async () => {
    const root = temporaryDirectory();
    const at = { root, data: join(root, "data"), log: join(root, "log") } as Layout;
    for (const path of [at.data, at.log]) await mkdir(path);
    const write = (name: string, text: string) => writeFile(join(at.log, name), text);
    let time = 0;
    const bounded = logsBounded({ ...logBound, bytes: 25 }, () => time);
    await write("postgresql-a.json", "0123456789");
    await utimes(join(at.log, "postgresql-a.json"), new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    await write("postgresql-b.json", "0123456789");
    expect(await bounded(at)).toEqual([]);
    await write("postgresql-b.json", "0123456789".repeat(2));
    time = 59_999;
    expect(await bounded(at)).toEqual([]);
    time = 60_000;
    expect(await bounded(at)).toEqual(["postgresql-a.json"]);
    await utimes(join(at.log, "postgresql-b.json"), new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    await write("postgresql-c.json", "0123456789");
    expect(await bounded(at)).toEqual(["postgresql-b.json"]);
  });

  it("nothing goes but files of its own, and none by a link", async () => {
    const root = await mkdtemp(join(tmpdir(), "perch-log-bound-"));
    const at = { data: join(root, "data"), log: join(root, "log") } as Layout;
    await mkdir(at.data);
    await mkdir(at.log);
    const write = async (name: string, daysAgo: number) => {
      await writeFile(join(at.log, name), "0123456789");
      const when = (Date.now() - daysAgo * day) / 1000;
      await utimes(join(at.log, name), when, when);
    };
    await writeFile(join(root, "precious"), "precious");
    await write("postgresql-Mon.json", 6);
    await write("postgresql-Tue.json", 5);
    await write("postgresql-2026-11-28_060000.json", 1);
    await write("postgresql-2026-11-28_060000.log", 30);
    await write("start.log", 30);
    await write("mine.json", 30);
    await symlink(join(root, "precious"), join(at.log, "postgresql-link.json"));
    await mkdir(join(at.log, "postgresql-directory.json"));
    await writeFile(
      join(at.data, "current_logfiles"),
      `stderr /x/postgresql-2026-11-28_060000.log\njsonlog /x/postgresql-Mon.json\n`,
    );
    expect(await boundLog(at, { ...logBound, bytes: 25 })).toEqual(["postgresql-Tue.json"]);
    await rm(join(at.data, "current_logfiles"));
    await symlink("/dev/zero", join(at.data, "current_logfiles")); // which is as good as none
    expect(await boundLog(at, { ...logBound, bytes: 25 })).toEqual(["postgresql-Mon.json"]);
    expect((await readdir(at.log)).toSorted()).toEqual(
      [
        "mine.json",
        "postgresql-2026-11-28_060000.json",
        "postgresql-2026-11-28_060000.log",
        "postgresql-directory.json",
        "postgresql-link.json",
        "start.log",
      ].toSorted(),
    );
    await rm(root, { recursive: true });
  });
});
