/**
 * The tables of the SQLite store and how a file gets from one version to the next. A migration that was released is never changed: a new one is added
 * at the end. The version of a file is the number of migrations it has seen.
 */
import type { DatabaseSyncInstance } from "@photostructure/sqlite";
import { fail } from "../errors/error.ts";

const migrations: readonly string[] = [
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

/** Brings the file to the newest schema, all or nothing. Fails with `state_newer` when a newer Perch wrote it. */
export function migrate(db: DatabaseSyncInstance, path: string): void {
  db.exec("BEGIN IMMEDIATE");
  db.exec("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT");
  const found = (db.prepare("SELECT value FROM meta WHERE name = 'schema'").get() as { value: number } | undefined)?.value ?? 0;
  if (found > knownSchema) throw fail("state_newer", { path, found, known: knownSchema });
  for (const migration of migrations.slice(found)) db.exec(migration);
  db.prepare("INSERT INTO meta VALUES ('schema', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value").run(knownSchema);
  db.exec("COMMIT");
}
