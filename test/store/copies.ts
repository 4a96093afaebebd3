import { chmodSync, copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "@photostructure/sqlite";

/** The state that each released version wrote, as `npm run keep-state` kept it. */
const directory = fileURLToPath(new URL("released", import.meta.url));

export const releasedVersions: readonly string[] = readdirSync(directory);

/** What is sealed in it, by where: `app/NAME`, `wireguard`, `rotation`. */
export const sealedIn = (version: string): Record<string, string> =>
  JSON.parse(readFileSync(join(directory, version, "sealed.json"), "utf8")) as Record<string, string>;

/** Puts a copy into a home; gives the path of the store. */
export function copyInto(home: string, version: string): string {
  for (const name of ["perch.db", "secret.key"]) {
    copyFileSync(join(directory, version, name), join(home, name));
    chmodSync(join(home, name), 0o600);
  }
  return join(home, "perch.db");
}

/** Key → record, of a store that nobody has open. */
export function recordsIn(path: string): Record<string, unknown> {
  return reading(path, (db) => {
    const rows = db.prepare("SELECT key, value FROM kv ORDER BY key").all() as { key: string; value: string }[];
    return Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value) as unknown]));
  });
}

export const schemaIn = (path: string): number =>
  reading(path, (db) => (db.prepare("SELECT value FROM meta WHERE name = 'schema'").get() as { value: number }).value);

/** Changes a store that nobody has open, behind everybody's back. */
export function change(path: string, sql: string): void {
  reading(path, (db) => db.exec(sql));
}

function reading<T>(path: string, work: (db: InstanceType<typeof DatabaseSync>) => T): T {
  const db = new DatabaseSync(path);
  try {
    return work(db);
  } finally {
    db.close();
  }
}
