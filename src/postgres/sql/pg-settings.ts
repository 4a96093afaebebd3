import type { Session } from "./session.ts";

/**
 * Settings as the running server knows them: pg_settings. Whether it would take new ones is asked in
 * `validate-settings.ts`.
 */
export interface Setting {
  name: string;
  /** In `unit`, where there is one. */
  value: string;
  unit: string | null;
  source: "default" | "perch" | "user";
  /** Whether a change takes effect at the next restart only. */
  restart: boolean;
  /** Changed, and waiting for that restart. */
  pending: boolean;
  description: string;
}

export interface Which {
  /** Only these; unknown names give no row. */
  names?: readonly string[];
  /** Those left at PostgreSQL's default, too. */
  all?: boolean;
}

/** In the order of their names. `user` are those set by `perch postgres config update`. */
export async function listSettings(session: Session, user: ReadonlySet<string>, which: Which = {}): Promise<Setting[]> {
  const rows = await session.query<Omit<Setting, "source" | "restart"> & { context: string; origin: string }>(
    `SELECT name, setting AS value, unit, context, source AS origin, pending_restart AS pending, short_desc AS description
       FROM pg_settings WHERE $1::text[] IS NULL OR lower(name) = ANY ($1) ORDER BY name`,
    [which.names?.map((name) => name.toLowerCase()) ?? null],
  );
  return rows
    .map(({ context, origin, ...row }) => ({
      ...row,
      source: sourceOf(row.name, origin, user),
      restart: context === "postmaster",
    }))
    .filter((row) => which.all === true || which.names !== undefined || row.source !== "default" || row.pending);
}

/** Everything from the configuration files is Perch's or the user's; the rest is built in, or this very session's. */
const sourceOf = (name: string, origin: string, user: ReadonlySet<string>): Setting["source"] =>
  user.has(name) ? "user" : origin === "configuration file" ? "perch" : "default";

/** Which of these settings a running server takes at its next restart only. */
export const restartNeeded = async (session: Session, names: readonly string[]): Promise<string[]> =>
  (
    await session.query<{ name: string }>(
      "SELECT name FROM pg_settings WHERE name = ANY ($1) AND context = 'postmaster' ORDER BY name",
      [[...names]],
    )
  ).map((row) => row.name);

/** Settings that were changed and wait for a restart. */
export const pendingRestart = async (session: Session): Promise<string[]> =>
  (await session.query<{ name: string }>("SELECT name FROM pg_settings WHERE pending_restart ORDER BY name")).map(
    (row) => row.name,
  );
