import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fail } from "../../../src/errors/error.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

describe("the spare room of a store", () => {
  const open = (path: string) =>
    openSqliteStore({ path, locked: () => fail("internal", { why: "locked" }), watcherFailed: () => undefined });
  const mebibyte = 1024 * 1024;

  it("is a megabyte in the file and one in the journal, taken before it is needed and taken once", async () => {
    const path = join(temporaryDirectory(), "perch.db");
    const sizes: number[] = [];
    for (let start = 0; start < 3; start++) {
      const store = await open(path);
      const [file, journal] = [statSync(path).size, statSync(`${path}-wal`).size];
      expect(file).toBeGreaterThan(mebibyte);
      expect(journal).toBeGreaterThan(mebibyte);
      // What is written fills the room and takes no more of the disk.
      for (let n = 0; n < 200; n++) await store.txn([], [{ put: `apps/${n}`, value: `${start}`.repeat(500) }]);
      expect([statSync(path).size, statSync(`${path}-wal`).size]).toEqual([file, journal]);
      await store.close();
      sizes.push(statSync(path).size);
    }
    expect(Math.max(...sizes)).toBeLessThan(3 * mebibyte);
  });
});
