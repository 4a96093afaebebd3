import { constants, type Dirent } from "node:fs";
import { chmod, chown, copyFile, mkdir, open, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../errors/error.ts";
import type { Owner } from "../host/files.ts";
import type { BackupOptions, BackupSource } from "./base-backup.ts";
import type { Member } from "./directory.ts";

/**
 * A base backup without pg_basebackup, as PostgreSQL documents it (low-level API): pg_backup_start, a copy of the files, pg_backup_stop, all over one
 * session: if that ends early, so does the backup. WAL is not copied: the slot keeps it, and the replica streams it when it starts.
 */
export async function copyByFunctions(member: Member, source: BackupSource, beside: string, options: BackupOptions): Promise<void> {
  const from = source.leader.layout.data;
  if ((await readdir(join(from, "pg_tblspc"))).length > 0) {
    throw fail("base_backup_failed", { machine: member.id, why: "the leader has tablespaces, which only pg_basebackup can copy" });
  }
  const { owner } = member.place;
  const session = await source.open();
  try {
    // A checkpoint comes first, which takes its time on a busy disk.
    await session.query("SELECT pg_backup_start($1, true)", [`perch ${member.id}`], 600_000);
    const files = await survey(from, beside, owner);
    const total = files.reduce((sum, file) => sum + file.bytes, 0);
    let done = 0;
    await inTurns(files, 8, async ({ path, bytes }) => {
      options.signal?.throwIfAborted();
      await copyOwned(join(from, path), join(beside, path), owner);
      options.onProgress?.((done += bytes), total);
    });
    // Last, because it must not be older than what it describes.
    await copyOwned(join(from, control), join(beside, control), owner);
    const [label] = await session.query<{ label: string; map: string | null }>(
      "SELECT labelfile AS label, spcmapfile AS map FROM pg_backup_stop(false)",
      [],
      60_000,
    );
    if (label === undefined) throw fail("base_backup_failed", { machine: member.id, why: "pg_backup_stop gave no label" });
    await writeOwned(join(beside, "backup_label"), label.label, owner);
    await inTurns([...files.map((file) => file.path), control, "backup_label"], 16, (path) => syncFile(join(beside, path)));
  } finally {
    await session.close();
  }
}

const control = "global/pg_control";

/** Directories whose content belongs to the running leader alone; they are made empty. (PostgreSQL: basebackup.c, excludeDirContents.) */
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

/** Whether a file is left out: the running server's own, and what recovery removes or rebuilds. `path` is relative to the data directory. */
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
async function survey(from: string, beside: string, owner: Owner | undefined): Promise<Surveyed[]> {
  const files: Surveyed[] = [];
  const walk = async (directory: string): Promise<void> => {
    for (const entry of await readdir(join(from, directory), { withFileTypes: true }).catch(ignoreMissing<Dirent[]>([]))) {
      const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
      if (leftOut(path) || path === control) continue;
      if (entry.isDirectory() || emptyDirectories.has(path)) {
        await makeDirectory(join(beside, path), owner);
        if (!emptyDirectories.has(path)) await walk(path);
      } else if (entry.isFile()) {
        files.push({ path, bytes: (await stat(join(from, path)).catch(ignoreMissing({ size: 0 }))).size });
      }
    }
  };
  await walk("");
  await makeDirectory(join(beside, "pg_wal", "archive_status"), owner);
  return files;
}

/** A file that PostgreSQL removed meanwhile is no error: WAL says so, too. */
const ignoreMissing =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code !== "ENOENT") throw error;
    return instead;
  };

async function makeDirectory(path: string, owner: Owner | undefined): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

async function copyOwned(from: string, to: string, owner: Owner | undefined): Promise<void> {
  // A link that a superuser of the leader laid there is not followed: as root, perchd could read what it leads to.
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW).catch(ignoreMissing(undefined));
  if (source === undefined) return;
  try {
    // Shares the blocks where the file system can.
    await copyFile(process.platform === "linux" ? `/proc/self/fd/${source.fd}` : from, to, constants.COPYFILE_FICLONE);
    await chmod(to, 0o600);
    if (owner !== undefined) await chown(to, owner.uid, owner.gid);
  } finally {
    await source.close();
  }
}

async function writeOwned(path: string, content: string, owner: Owner | undefined): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r").catch(ignoreMissing(undefined));
  await file?.sync().finally(() => file.close());
}

/** Works through the items in order, `width` at a time. After the first failure none is begun, and it rejects when all that were have ended. */
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
