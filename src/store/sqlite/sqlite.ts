/**
 * The store of one host: one SQLite file, which is perchd's lock at the same time. SQLite holds the lock of the file
 * from opening to closing (locking_mode=EXCLUSIVE), so a second perchd is refused within a quarter of a second and a
 * dead one leaves nothing stale. The lock is one of the process: nothing else in perchd may open and close the same
 * file, which would drop it.
 */
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from "@photostructure/sqlite";
import { pause } from "../../base/deadline.ts";
import { fail, type PerchError } from "../../errors/error.ts";
import { makePrivateFile } from "../../host/files/files.ts";
import { checkWrites, keyOfWrite, storable, storablePrefix } from "../key.ts";
import { RangeMemory } from "./range-memory.ts";
import { migrate, refuseNewerSchema } from "./schema.ts";
import { keepSpareRoom } from "./spare-room.ts";
import { inOurWords, isBusy } from "./sqlite-error.ts";
import type { Change, Compare, Entry, Store, TxnResult, Write } from "../store.ts";
import { Watchers } from "../watchers.ts";

/** Watches may begin this many revisions back; at least so many changes are kept, at most `compactEvery` more. */
const keptRevisions = 10_000;
const compactEvery = 1_000;
const openAttempts = 6;

export interface SqliteStoreOptions {
  path: string;
  /** The error for when another process has the file open, such as `already_running` with that process's pid. */
  locked: () => PerchError;
  /** Called with whatever a watcher threw. */
  watcherFailed: (error: unknown) => void;
}

/**
 * Opens the file, making it (0600) where there is none. Rejects with `locked()`, `state_newer`, `state_damaged`,
 * `state_unreachable` or `disk_full`. Any call on a closed store rejects with `shutting_down`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { path } = options;
  await makePrivateFile(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOSPC"
      ? fail("disk_full", { path }, error)
      : fail("state_unreachable", { path, why: error.message }, error);
  });
  for (let attempt = 1; ; attempt++) {
    try {
      const db = openLocked(path);
      return new SqliteStore(db, path, new Watchers(options.watcherFailed));
    } catch (error) {
      if (!isBusy(error)) throw inOurWords(error, path);
      if (attempt === openAttempts) throw options.locked();
      // Of two that open at the same moment SQLite may refuse both, each for the other's sake: the next time they come
      // apart.
      await pause(5 + Math.random() * 40);
    }
  }
}

function openLocked(path: string): DatabaseSyncInstance {
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    refuseNewerSchema(db, path);
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    const check = db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (check.quick_check !== "ok") throw fail("state_damaged", { path, why: check.quick_check });
    migrate(db);
    keepSpareRoom(db, path);
    return db;
  } catch (error) {
    closeAndUnlock(db);
    throw error;
  }
}

class SqliteStore implements Store {
  readonly #db: DatabaseSyncInstance;
  readonly #path: string;
  readonly #watchers: Watchers;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #ranges = new RangeMemory();
  #revision: number;

  constructor(db: DatabaseSyncInstance, path: string, watchers: Watchers) {
    this.#db = db;
    this.#path = path;
    this.#watchers = watchers;
    this.#statements = prepare(db);
    this.#revision = Number(this.#statements.newest.get()["revision"] ?? 0);
  }

  async get(key: string): Promise<Entry | undefined> {
    return this.#guard(() => this.#entry(key));
  }

  async range(prefix: string): Promise<{ revision: number; entries: Entry[] }> {
    return this.#guard(() => {
      const read = () => this.#statements.range.all(prefix, above(prefix)).map(toEntry);
      return { revision: this.#revision, entries: storablePrefix(prefix) ? this.#ranges.of(prefix, read) : [] };
    });
  }

  async txn(compare: readonly Compare[], writes: readonly Write[]): Promise<TxnResult> {
    checkWrites(writes);
    return this.#guard(() => {
      if (!compare.every(({ key, modRevision }) => (this.#entry(key)?.modRevision ?? 0) === modRevision))
        return { done: false };
      const changes = this.#write(writes, this.#revision + 1);
      this.#revision = changes.at(-1)?.revision ?? this.#revision;
      this.#ranges.note(changes);
      this.#watchers.publish(changes);
      return { done: true, revision: this.#revision };
    });
  }

  async watch(prefix: string, fromRevision: number, onChange: (change: Change) => void): Promise<() => void> {
    return this.#guard(() => {
      const oldest = Number(this.#statements.oldest.get()["revision"] ?? 1);
      if (fromRevision < oldest - 1) throw fail("conflict", { what: `what was watched from revision ${fromRevision}` });
      const kept = this.#statements.since.all(fromRevision).map(toChange);
      return this.#watchers.add(prefix, fromRevision, kept, onChange);
    });
  }

  async forget(revision: number): Promise<void> {
    this.#guard(() => {
      this.#statements.compact.run(revision - 1);
      // What is deleted lies on in free pages and in the journal until the file is written anew.
      this.#db.exec("PRAGMA temp_store = MEMORY; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
      keepSpareRoom(this.#db, this.#path);
    });
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    if (this.#db.isOpen) closeAndUnlock(this.#db);
  }

  #entry(key: string): Entry | undefined {
    const row = storable(key) ? this.#statements.get.get(key) : undefined;
    return row === undefined ? undefined : toEntry(row);
  }

  /** One transaction of SQLite; gives what really changed, which is nothing where only missing keys were deleted. */
  #write(writes: readonly Write[], revision: number): Change[] {
    const { put, remove, log, compact } = this.#statements;
    const changes: Change[] = [];
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      for (const write of writes) {
        const change = toChange({ revision, key: keyOfWrite(write), value: "put" in write ? write.value : null });
        if ("put" in write) put.run(write.put, write.value, revision, revision);
        else if (remove.run(write.delete).changes === 0) continue;
        changes.push(change);
        log.run(revision, changes.length, change.key, "put" in write ? write.value : null);
      }
      if (changes.length > 0 && revision % compactEvery === 0) compact.run(revision - keptRevisions);
      this.#db.exec("COMMIT");
      return changes;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #guard<T>(work: () => T): T {
    if (!this.#db.isOpen) throw fail("shutting_down", {});
    try {
      return work();
    } catch (error) {
      throw inOurWords(error, this.#path);
    }
  }
}

/**
 * Closing alone would keep the lock until the garbage collector comes: the library finalizes no statement before.
 * Leaving WAL first also leaves one whole file behind, without a journal beside it.
 */
function closeAndUnlock(db: DatabaseSyncInstance): void {
  try {
    if (db.isTransaction) db.exec("ROLLBACK");
    db.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM sqlite_schema");
  } catch {
    // On a full or broken disk the journal stays and is read at the next opening; the lock ends with the process.
  }
  db.close();
}

type Row = Record<string, string | number | null>;
/** A statement with its rows typed: one that aggregates always gives a row. */
type Statement<R> = Omit<StatementSyncInstance, "get" | "all"> & {
  get(...values: unknown[]): R;
  all(...values: unknown[]): Row[];
};

function prepare(db: DatabaseSyncInstance) {
  const one = (sql: string) => db.prepare(sql) as Statement<Row>;
  return {
    get: db.prepare("SELECT * FROM kv WHERE key = ?") as Statement<Row | undefined>,
    range: one("SELECT * FROM kv WHERE key >= ? AND key < CAST(? AS TEXT) ORDER BY key"),
    put: one(
      `INSERT INTO kv VALUES (?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, mod_revision = excluded.mod_revision`,
    ),
    remove: one("DELETE FROM kv WHERE key = ?"),
    log: one("INSERT INTO changes VALUES (?, ?, ?, ?)"),
    since: one("SELECT * FROM changes WHERE revision > ? ORDER BY revision, position"),
    newest: one("SELECT max(revision) AS revision FROM changes"),
    oldest: one("SELECT min(revision) AS revision FROM changes"),
    compact: one("DELETE FROM changes WHERE revision <= ?"),
  };
}

/** The first text after all that begin with the prefix, in bytes: no UTF-8 has 0xff. */
const above = (prefix: string): Buffer => Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])]);

const toEntry = (row: Row): Entry => ({
  key: String(row["key"]),
  value: String(row["value"]),
  createRevision: Number(row["create_revision"]),
  modRevision: Number(row["mod_revision"]),
});

const toChange = (row: Row): Change => {
  const at = { key: String(row["key"]), revision: Number(row["revision"]) };
  return row["value"] === null ? { type: "delete", ...at } : { type: "put", ...at, value: String(row["value"]) };
};
