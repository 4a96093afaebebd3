import { chmodSync, mkdirSync, openSync, readdirSync, statSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { describe, expect, it } from "vitest";
import { knownSchema } from "../../../src/store/sqlite/schema.ts";
import type { Change } from "../../../src/store/store.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { storeContract } from "../contract.ts";
import { newStore, storeAt } from "../open.ts";
import { recorder } from "../recorder.ts";

storeContract("SQLite", newStore);

describe("the SQLite store", () => {
  it("is closed to others, its journal too, whatever mode the file had", async () => {
    const path = join(temporaryDirectory(), "perch.db");
    writeFileSync(path, "");
    chmodSync(path, 0o644);
    const store = await storeAt(path);
    await store.txn([], [{ put: "a", value: "1" }]);
    const files = readdirSync(join(path, ".."));
    expect(files).toEqual(["perch.db", "perch.db-wal"]);
    expect(files.map((file) => (statSync(join(path, "..", file)).mode & 0o777).toString(8))).toEqual(["600", "600"]);
    await store.close();
  });

  it("refuses a second opener in the same process and hurts the first one nothing", async () => {
    const { store, path, end } = await newStore();
    await expect(storeAt(path)).rejects.toMatchObject({ code: "already_running" });
    await expect(storeAt(path)).rejects.toMatchObject({ code: "already_running" });
    expect(await store.txn([], [{ put: "a", value: "1" }])).toMatchObject({ done: true });
    await end();
    await (await storeAt(path)).close();
  });

  it("refuses a file of a newer schema and leaves it as it is", async () => {
    const { path, end } = await newStore();
    await end();
    const db = new DatabaseSync(path);
    db.exec(`UPDATE meta SET value = ${knownSchema + 1} WHERE name = 'schema'`);
    db.close();
    await expect(storeAt(path)).rejects.toMatchObject({ code: "state_newer" });
    await expect(storeAt(path)).rejects.toThrow(`schema ${knownSchema + 1}, this one knows ${knownSchema}`);
  });

  it("says that a file is no database", async () => {
    const path = join(temporaryDirectory(), "perch.db");
    writeFileSync(path, "this is no database, however long it goes on. ".repeat(200));
    await expect(storeAt(path)).rejects.toMatchObject({ code: "state_damaged" });
  });

  it("says that a database is damaged or cut short", async () => {
    const { store, path, end } = await newStore();
    for (let index = 0; index < 50; index++)
      await store.txn([], [{ put: `key${index}`, value: JSON.stringify("x".repeat(1000)) }]);
    await end();
    const size = statSync(path).size;
    const file = openSync(path, "r+");
    for (let page = 2; page * 4096 < size; page += 3) writeSync(file, Buffer.alloc(2000, 0xa5), 0, 2000, page * 4096);
    await expect(storeAt(path)).rejects.toMatchObject({ code: "state_damaged" });
    truncateSync(path, Math.floor(size / 2));
    await expect(storeAt(path)).rejects.toMatchObject({ code: "state_damaged" });
  });

  it("says that a path cannot be opened", async () => {
    const directory = temporaryDirectory();
    await expect(storeAt(join(directory, "missing", "perch.db"))).rejects.toMatchObject({ code: "state_unreachable" });
    mkdirSync(join(directory, "perch.db"));
    await expect(storeAt(join(directory, "perch.db"))).rejects.toMatchObject({ code: "state_unreachable" });
  });

  it(
    "keeps the newest 10,000 revisions for watches and refuses to begin before them",
    { timeout: 60_000 },
    async () => {
      const { store, end } = await newStore();
      const last = 12_000;
      for (let index = 1; index <= last; index++) await store.txn([], [{ put: "a", value: String(index) }]);
      await expect(store.watch("a", 1_000, () => undefined)).rejects.toMatchObject({ code: "conflict" });
      const watched = recorder<Change>();
      await store.watch("a", last - 10_000, watched.record);
      const changes = await watched.until(10_000);
      expect(changes[0]).toMatchObject({ revision: last - 9_999, value: String(last - 9_999) });
      expect(changes.at(-1)).toMatchObject({ revision: last });
      await end();
    },
  );
});
