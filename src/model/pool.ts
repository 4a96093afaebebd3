/** The laws of a pooler as it was asked for: which mode a version of PgBouncer may have. Pure. */
import { fail } from "../errors/error.ts";
import type { ClusterRecord, Pool } from "./records.ts";

type Mode = Pick<Pool, "mode" | "preparedStatements">;

/** From this version on, transaction mode knows prepared statements of the protocol. */
const preparedSince = [1, 21] as const;

export function knowsPreparedStatements(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > preparedSince[0] || (major === preparedSince[0] && minor >= preparedSince[1]);
}

/**
 * Before it knew prepared statements PgBouncer passed their names on: a client ran whatever statement of that name
 * another one had left on the server, and read wrong rows without an error. Such a version is in session mode, unless
 * it was said that no client prepares.
 */
export function safeMode({ mode, preparedStatements }: Mode, version: string): Pool["mode"] {
  return preparedStatements === false || knowsPreparedStatements(version) ? mode : "session";
}

/** Whether a driver may prepare statements through it. */
export const mayPrepare = ({ mode, preparedStatements }: Mode): boolean =>
  mode === "session" || preparedStatements !== false;

/** As it was asked for; what was not said stays as it is. Throws `pool_mode_unsafe`. */
export function wantedMode(
  before: Pool | undefined,
  asked: { mode?: Pool["mode"] | undefined; preparedStatements?: false | undefined },
  version: string,
): Mode {
  const mode = asked.mode ?? before?.mode ?? (knowsPreparedStatements(version) ? "transaction" : "session");
  if (asked.preparedStatements === false && asked.mode !== "transaction")
    throw fail("usage_invalid", { reason: "--no-prepared-statements goes with --mode transaction" });
  const unprepared =
    asked.preparedStatements === false || (asked.mode === undefined && before?.preparedStatements === false);
  const wanted = { mode, ...(unprepared ? { preparedStatements: false as const } : {}) };
  if (safeMode(wanted, version) === mode) return wanted;
  if (asked.mode === undefined) return { mode: "session" };
  throw fail("pool_mode_unsafe", { version });
}

export const samePool = (one: Pool | undefined, other: Pool | undefined): boolean =>
  one?.mode === other?.mode && one?.size === other?.size && one?.preparedStatements === other?.preparedStatements;

/** The record of a cluster for which that was asked. Where several were, one after the other, all are taken back. */
export const withPool = (record: ClusterRecord, pool: Pool, version: string): ClusterRecord => ({
  ...record,
  pool,
  poolBefore: { ...(record.poolBefore ?? (record.pool === undefined ? {} : { pool: record.pool })), version },
});

/** As it was before: what was asked for cannot be had, or is not wanted any more. */
export function poolTakenBack(record: ClusterRecord): ClusterRecord {
  const { poolBefore, pool: _gone, ...rest } = record;
  if (poolBefore === undefined) return record;
  return poolBefore.pool === undefined ? rest : { ...rest, pool: poolBefore.pool };
}
