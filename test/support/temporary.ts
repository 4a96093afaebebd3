import { appendFileSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Account } from "./account.ts";
import { perchIn } from "./perch.ts";

/**
 * Directories that a test file makes and that are gone when it ends, whatever its tests did. A home is stopped with
 * `perch down` first. Under `npm test` all of them lie in one directory, so that afterwards nothing that still runs can
 * hide.
 */
const made: { path: string; home: boolean; account: Account | undefined }[] = [];

function make(name: string, home: boolean, account: Account | undefined): string {
  const base = process.env["PERCH_TEST_DIR"] ?? tmpdir();
  mkdirSync(base, { recursive: true });
  const path = mkdtempSync(join(base, `perch-${name}-`));
  if (account !== undefined) chownSync(path, account.uid, account.gid);
  if (home && process.env["PERCH_TEST_DIR"] !== undefined) appendFileSync(join(base, "homes"), `${path}\n`);
  made.push({ path, home, account });
  return path;
}

/** An empty directory, 0700, of `account` where one is given. */
export const temporaryDirectory = (account?: Account): string => make("tmp", false, account);

/** A fresh PERCH_HOME, likewise. */
export const tempHome = (account?: Account): string => make("home", true, account);

afterAll(async () => {
  for (const { path, home, account } of made.splice(0)) {
    const as = account === undefined ? {} : { as: account };
    if (home && existsSync(join(path, "perchd.json"))) await perchIn(path, as)(["down"]);
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
});
