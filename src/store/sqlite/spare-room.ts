import { statSync } from "node:fs";
import type { DatabaseSyncInstance } from "@photostructure/sqlite";

/**
 * A megabyte of its own, in the file and in the journal beside it, so that a disk that somebody else has filled stops
 * the servers' writes and not Perch's: a leader can still be replaced, a member stopped, an app run. SQLite writes over
 * what it has before it asks for more, and file systems that write in place need no room for that. Where there is none
 * from the beginning, the store is opened without it.
 */
const spareBytes = 1024 * 1024;

/** The journal is begun anew after so many pages, well before it needs more than its megabyte. */
const checkpointPages = 200;

export function keepSpareRoom(db: DatabaseSyncInstance, path: string): void {
  db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  if (hasSpareRoom(db, path)) return;
  try {
    // The checkpoint alone waits for the disk: nothing of this is missed after a power cut.
    db.exec("PRAGMA synchronous = NORMAL");
    // A table that goes leaves its pages to those that come; one that was left by a crash goes first.
    db.exec(
      `DROP TABLE IF EXISTS spare_room; CREATE TABLE spare_room (bytes BLOB); INSERT INTO spare_room VALUES (zeroblob(${spareBytes}))`,
    );
    db.exec("DROP TABLE spare_room; PRAGMA wal_checkpoint(RESTART)");
  } catch {
    // No room for it now: it is made at the next opening.
    if (db.isTransaction) db.exec("ROLLBACK");
  } finally {
    db.exec("PRAGMA synchronous = FULL");
  }
}

/** After a crash both are still there. */
function hasSpareRoom(db: DatabaseSyncInstance, path: string): boolean {
  const { freelist_count: pages } = db.prepare("PRAGMA freelist_count").get() as { freelist_count: number };
  const { page_size: size } = db.prepare("PRAGMA page_size").get() as { page_size: number };
  return (
    pages * size >= spareBytes / 2 && (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) >= spareBytes
  );
}
