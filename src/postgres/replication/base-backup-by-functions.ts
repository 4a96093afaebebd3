import { join } from "node:path";
import { fail } from "../../errors/error.ts";
import { copyFromBelow, listBelow, lookBelow } from "../../host/files/below.ts";
import { handOver, makeDirectory, syncFile, writeWhole } from "../../host/files/files.ts";
import type { BackupOptions, BackupSource } from "./backup-source.ts";
import type { Member } from "../instance/directory.ts";

/**
 * A base backup without pg_basebackup, as PostgreSQL documents it (low-level API): pg_backup_start, a copy of the
 * files, pg_backup_stop, all over one session: if that ends early, so does the backup. WAL is not copied: the slot
 * keeps it, and the replica streams it when it starts.
 */
export async function copyByFunctions(
  member: Member,
  source: BackupSource,
  beside: string,
  options: BackupOptions,
): Promise<void> {
  const from = source.leader.layout.data;
  if ((await listBelow(from, "pg_tblspc")).length > 0) {
    throw fail("base_backup_failed", {
      machine: member.id,
      why: "the leader has tablespaces, which only pg_basebackup can copy",
    });
  }
  const { owner } = member.place;
  const session = await source.open();
  try {
    // A checkpoint comes first, which takes its time on a busy disk.
    await session.query("SELECT pg_backup_start($1, true)", [`perch ${member.id}`], 600_000);
    const { files, directories } = await survey(from, beside);
    const total = files.reduce((sum, file) => sum + file.bytes, 0);
    let done = 0;
    await inTurns(files, 8, async ({ path, bytes }) => {
      options.signal?.throwIfAborted();
      await copyFromBelow(from, path, join(beside, path), owner);
      options.onProgress?.((done += bytes), total);
    });
    // Last, because it must not be older than what it describes.
    await copyFromBelow(from, control, join(beside, control), owner);
    const [label] = await session.query<{ label: string; map: string | null }>(
      "SELECT labelfile AS label, spcmapfile AS map FROM pg_backup_stop(false)",
      [],
      60_000,
    );
    if (label === undefined)
      throw fail("base_backup_failed", { machine: member.id, why: "pg_backup_stop gave no label" });
    await writeWhole(join(beside, "backup_label"), label.label, owner === undefined ? {} : { owner });
    await inTurns([...files.map((file) => file.path), control, "backup_label"], 16, (path) =>
      syncFile(join(beside, path)),
    );
    // From the innermost outwards: nothing is given away below what was given away.
    if (owner !== undefined)
      for (const directory of directories.toReversed()) await handOver(join(beside, directory), owner);
  } finally {
    await session.close();
  }
}

const control = "global/pg_control";

/**
 * Directories whose content belongs to the running leader alone; they are made empty. (PostgreSQL: basebackup.c,
 * excludeDirContents.)
 */
const emptyDirectories: ReadonlySet<string> = new Set([
  "pg_wal",
  "pg_replslot",
  "pg_dynshmem",
  "pg_notify",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);

/**
 * Whether a file is left out: the running server's own, and what recovery removes or rebuilds. `path` is relative to
 * the data directory.
 */
export function leftOut(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return (
    /^(postmaster\.(pid|opts)|current_logfiles(\.tmp)?|postgresql\.auto\.conf\.tmp|backup_label(\.old)?|tablespace_map(\.old)?|backup_manifest)$/.test(
      path,
    ) ||
    /^(standby|recovery)\.signal$/.test(path) ||
    name.startsWith("pg_internal.init") ||
    name.startsWith("pgsql_tmp") ||
    /^t\d+_\d+(_(fsm|vm|init))?(\.\d+)?$/.test(name)
  );
}

interface Surveyed {
  path: string;
  bytes: number;
}

/** Makes the directories of the copy and lists the files to come. */
async function survey(from: string, beside: string): Promise<{ files: Surveyed[]; directories: string[] }> {
  const files: Surveyed[] = [];
  const made: string[] = [];
  const walk = async (directory: string): Promise<void> => {
    for (const entry of await listBelow(from, directory)) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (leftOut(path) || path === control) continue;
      if (entry.isDirectory() || emptyDirectories.has(path)) {
        made.push(path);
        await makeDirectory(join(beside, path));
        if (!emptyDirectories.has(path)) await walk(path);
      } else if (entry.isFile()) {
        // One that PostgreSQL removed meanwhile is no error: WAL says so, too.
        files.push({ path, bytes: (await lookBelow(from, path))?.size ?? 0 });
      }
    }
  };
  await walk("");
  await makeDirectory(join(beside, "pg_wal", "archive_status"));
  made.push("pg_wal/archive_status");
  return { files, directories: made };
}

/**
 * Works through the items in order, `width` at a time. After the first failure none is begun, and it rejects when all
 * that were have ended.
 */
async function inTurns<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of waiting) {
      await work(item).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  if (failures.length > 0) throw failures[0];
}
