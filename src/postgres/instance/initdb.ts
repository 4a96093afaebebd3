import { rename } from "node:fs/promises";
import { join } from "node:path";
import { fail } from "../../errors/error.ts";
import { CommandError, run } from "../../host/process/command.ts";
import { removeTree, writeWhole } from "../../host/files/files.ts";
import { endOccupants } from "../../host/process/occupants.ts";
import { besideData, command, makeOwned, type Member } from "./directory.ts";
import { scramVerifier } from "../sql/scram.ts";

/**
 * Makes an empty data directory whose superuser is `postgres`. It is made under another name and renamed when whole, so
 * one half made is never taken for one. Rejects with `disk_full`, `cancelled` (by the signal) or
 * `postgres_init_failed`, and leaves nothing.
 */
export async function initialise(member: Member, at: { password: string; signal?: AbortSignal }): Promise<void> {
  const { layout, place } = member;
  const beside = besideData(layout);
  const passwordFile = join(layout.root, "initdb-password");
  try {
    // initdb hands what it reads to CREATE ROLE, which takes a verifier as well: the password itself is never on disk.
    await writeWhole(
      passwordFile,
      `${scramVerifier(at.password)}\n`,
      place.owner === undefined ? {} : { owner: place.owner },
    );
    await makeOwned(beside, place);
    const argv = initdbArguments({
      major: member.major,
      platform: process.platform,
      data: place.seen(beside),
      passwordFile: place.seen(passwordFile),
    });
    await run(command(member, "initdb", argv), {
      cwd: "/",
      timeoutMs: 300_000,
      ...(at.signal === undefined ? {} : { signal: at.signal }),
    });
    at.signal?.throwIfAborted();
    await rename(beside, layout.data);
  } catch (error) {
    if (at.signal?.aborted === true) throw fail("cancelled", { what: `making machine ${member.id}` }, error);
    throw initialiseError(member, error);
  } finally {
    await endOccupants(beside, "postgres"); // initdb, when killed, leaves the server it was talking to
    await removeTree(passwordFile);
    await removeTree(beside);
  }
}

export function initdbArguments(at: { major: number; platform: string; data: string; passwordFile: string }): string[] {
  // The builtin provider sorts by code point everywhere and for ever; before 17 that is the C library's C.UTF-8, which
  // macOS lacks.
  const builtin = at.major >= 17 ? ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] : [];
  return [
    "--username=postgres",
    "--data-checksums",
    "--encoding=UTF8",
    `--locale=${at.platform === "linux" ? "C.UTF-8" : "C"}`,
    ...builtin,
    "--auth=scram-sha-256",
    `--pwfile=${at.passwordFile}`,
    "--no-instructions",
    `--pgdata=${at.data}`,
  ];
}

function initialiseError(member: Member, error: unknown): Error {
  const said = error instanceof CommandError ? error.stderr : String(error);
  if (isDiskFull(error)) return fail("disk_full", { path: member.layout.root }, error);
  const why = said.trim().split("\n").slice(-3).join("; ") || String(error);
  return fail("postgres_init_failed", { machine: member.id, why }, error);
}

/** Whether it failed for want of room, as Node or a program of PostgreSQL says it. */
export function isDiskFull(error: unknown): boolean {
  if ((error as NodeJS.ErrnoException).code === "ENOSPC") return true;
  return error instanceof CommandError && /No space left on device|Disk quota exceeded/.test(error.stderr);
}
