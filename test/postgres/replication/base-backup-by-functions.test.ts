import { expect, it } from "vitest";
import { leftOut } from "../../../src/postgres/replication/base-backup-by-functions.ts";

it.each([
  "base/5/1259",
  "base/5/1259_fsm",
  "base/5/16384_init",
  "global/1262",
  "global/pg_filenode.map",
  "PG_VERSION",
  "postgresql.conf",
  "pg_xact/0000",
])("a base backup holds %s", (path) => {
  expect(leftOut(path)).toBe(false);
});

it.each([
  "postmaster.pid",
  "postmaster.opts",
  "current_logfiles",
  "backup_label.old",
  "standby.signal",
  "base/5/pg_internal.init",
  "base/5/pg_internal.init.123",
  "base/pgsql_tmp",
  "base/5/t3_16399",
  "base/5/t3_16399_fsm",
  "base/5/t12_16399.1",
])("a base backup leaves %s out", (path) => {
  expect(leftOut(path)).toBe(true);
});
