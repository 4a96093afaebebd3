import { fail, PerchError } from "../../errors/error.ts";

const resultCode = (error: unknown): number =>
  error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;

/** Another process has the file open. */
export const isBusy = (error: unknown): boolean => [5, 6].includes(resultCode(error));

/**
 * What SQLite throws, by its result code (sqlite.org/rescode.html), as an error of the register; anything else as it
 * is.
 */
export function inOurWords(error: unknown, path: string): unknown {
  const why = error instanceof Error ? error.message : String(error);
  switch (error instanceof PerchError ? 0 : resultCode(error)) {
    case 13: // SQLITE_FULL
      return fail("disk_full", { path }, error);
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return fail("state_damaged", { path, why }, error);
    case 3: // SQLITE_PERM
    case 8: // SQLITE_READONLY
    case 10: // SQLITE_IOERR
    case 14: // SQLITE_CANTOPEN
    case 23: // SQLITE_AUTH
      return fail("state_unreachable", { path, why }, error);
    default:
      return error;
  }
}
