import type { BackupOptions, BackupSource } from "./backup-source.ts";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { redact } from "../../base/redact.ts";
import { fail, isCode, PerchError } from "../../errors/error.ts";
import { CommandError, run } from "../../host/process/command.ts";
import { exists, makePrivate, removeTree, syncDirectory } from "../../host/files/files.ts";
import { replicationUser } from "../instance/hba.ts";
import { copyByFunctions } from "./base-backup-by-functions.ts";
import { writePassFile } from "../instance/configure.ts";
import { atSocketOf, besideData, command, makeOwned, type Member } from "../instance/directory.ts";
import { isDiskFull } from "../instance/initdb.ts";
import { replicationOptions } from "../sql/session-options.ts";

/** A replica's data directory, copied from its running leader on the same host. */
/**
 * Copies the leader into a directory of another name, renamed when whole. Rejects with `disk_full`, `cancelled` (by the
 * signal) or `base_backup_failed`, and leaves nothing in the member's directory; the slot is the caller's.
 */
export async function takeBaseBackup(member: Member, source: BackupSource, options: BackupOptions = {}): Promise<void> {
  const beside = besideData(member.layout);
  const byProgram = options.byFunctions !== true && (await exists(join(member.binaries, "pg_basebackup")));
  try {
    options.signal?.throwIfAborted();
    if (byProgram) {
      await makeOwned(beside, member.place);
      await copyByProgram(member, source, beside, options);
    } else {
      // perchd's own until it is whole, so that nobody lays a link into it meanwhile.
      await makePrivate(beside);
      await copyByFunctions(member, source, beside, options);
      await makeOwned(beside, member.place);
    }
    options.signal?.throwIfAborted();
    await rename(beside, options.into ?? member.layout.data);
    await syncDirectory(member.layout.data);
  } catch (error) {
    if (options.signal?.aborted === true) throw fail("cancelled", { what: `copying machine ${member.id}` }, error);
    if (isDiskFull(error) || isCode(error, "disk_full")) throw fail("disk_full", { path: member.layout.root }, error);
    if (error instanceof PerchError && error.code === "base_backup_failed") throw error;
    const said = error instanceof CommandError ? error.stderr.trim().split("\n").slice(-3).join("; ") : "";
    throw fail(
      "base_backup_failed",
      { machine: member.id, why: redact(said || String(error instanceof Error ? error.message : error)) },
      error,
    );
  } finally {
    await removeTree(beside);
  }
}

/** pg_basebackup over the leader's unix socket; how far it is, the leader's own pg_stat_progress_basebackup tells. */
async function copyByProgram(
  member: Member,
  source: BackupSource,
  beside: string,
  options: BackupOptions,
): Promise<void> {
  const { leader } = source;
  const { place, layout } = member;
  await writePassFile(member, source.replicationPassword);
  const args = (host: string) => [
    `--pgdata=${place.seen(beside)}`,
    `--host=${host}`,
    `--port=${leader.port}`,
    `--username=${replicationUser}`,
    "--no-password",
    "--wal-method=stream",
    `--slot=${source.slot}`,
    "--checkpoint=fast",
    "--no-manifest",
    "--progress",
  ];
  const stopWatching = options.onProgress === undefined ? undefined : await watchProgress(source, options.onProgress);
  try {
    const env = { PGPASSFILE: place.seen(layout.pass), PGAPPNAME: member.id, PGOPTIONS: replicationOptions() };
    const limits = {
      cwd: "/",
      timeoutMs: 24 * 3_600_000,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
    await atSocketOf(leader, member, (host) => run(command(member, "pg_basebackup", args(host), env), limits));
  } catch (error) {
    await endWalSender(member, source).catch(() => undefined); // what failed first is what counts
    throw error;
  } finally {
    await stopWatching?.();
  }
}

/** pg_basebackup, when killed, leaves a child that goes on receiving WAL, and so keeps the slot in use. */
async function endWalSender(member: Member, source: BackupSource): Promise<void> {
  const session = await source.open();
  await session
    .query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_replication WHERE application_name = $1", [member.id])
    .finally(() => session.close());
}

async function watchProgress(
  source: BackupSource,
  onProgress: NonNullable<BackupOptions["onProgress"]>,
): Promise<() => Promise<void>> {
  const session = await source.open();
  const look = async (): Promise<void> => {
    const [row] = await session.query<{ done: string; total: string | null }>(
      "SELECT backup_streamed AS done, backup_total AS total FROM pg_stat_progress_basebackup LIMIT 1",
    );
    if (row !== undefined) onProgress(Number(row.done), row.total === null ? undefined : Number(row.total));
  };
  // The size is for progress alone.
  const timer = setInterval(() => void look().catch(() => undefined), 250);
  return async () => {
    clearInterval(timer);
    await session.close();
  };
}
