/**
 * The tables of the SQLite store and how a file gets from one version to the next. A migration that was released is
 * never changed: a new one is added at the end. The version of a file is the number of migrations it has seen.
 */
import type { DatabaseSyncInstance } from "@photostructure/sqlite";
import { fail } from "../../errors/error.ts";

export const migrations: readonly string[] = [
  `CREATE TABLE kv (
     key TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     create_revision INTEGER NOT NULL,
     mod_revision INTEGER NOT NULL
   ) STRICT;
   -- One row a key written, in the order of the writes; value is null where the key was deleted.
   CREATE TABLE changes (
     revision INTEGER NOT NULL,
     position INTEGER NOT NULL,
     key TEXT NOT NULL,
     value TEXT,
     PRIMARY KEY (revision, position)
   ) STRICT, WITHOUT ROWID;`,
];

export const knownSchema = migrations.length;

/** Fails with `state_newer`, having only read, when a newer Perch wrote the file. */
export function refuseNewerSchema(db: DatabaseSyncInstance, path: string): void {
  const found = schemaOf(db);
  if (found > knownSchema)
    throw fail("state_newer", { path, what: `it has schema ${found}, this one knows ${knownSchema}` });
}

/** Brings the file to the newest schema, all or nothing. `steps` are those of this version. */
export function migrate(db: DatabaseSyncInstance, steps: readonly string[] = migrations): void {
  // On a full disk what is new enough must open without a write.
  if (schemaOf(db) === steps.length) return;
  db.exec("BEGIN IMMEDIATE");
  db.exec("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT");
  for (const migration of steps.slice(schemaOf(db))) db.exec(migration);
  db.prepare("INSERT INTO meta VALUES ('schema', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value").run(
    steps.length,
  );
  db.exec("COMMIT");
}

function schemaOf(db: DatabaseSyncInstance): number {
  if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").get() === undefined) return 0;
  return (
    (db.prepare("SELECT value FROM meta WHERE name = 'schema'").get() as { value: number } | undefined)?.value ?? 0
  );
}
