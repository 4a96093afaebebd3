/** The laws of a pooler as it was asked for: which mode a version of PgBouncer may have. Pure. */
import { fail } from "../errors/error.ts";
import type { Pool } from "./records.ts";

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
