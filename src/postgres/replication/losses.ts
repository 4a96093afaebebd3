/**
 * What a change of leader takes with it, because PostgreSQL writes no WAL for it: rows of unlogged tables, and
 * replication slots, but those that PostgreSQL 17 and newer keep on a replica, too.
 */
import { listBelow, unlessStrange } from "../../host/files/below.ts";
import type { Member } from "../instance/directory.ts";
import { slotOf } from "./replication.ts";
import { type Session, withSession } from "../sql/session.ts";

export interface Losses {
  /** `database.schema.table`. */
  tables: string[];
  /** Of others than Perch. */
  slots: string[];
}

const ours = (slot: string): boolean => slot.startsWith(slotOf(""));

/**
 * Of a leader that answers, before another one leads. `next`: a session with that one, which has some of the slots,
 * too.
 */
export async function lossesBefore(
  leader: Member,
  login: { user: string; password: string },
  next: Session | undefined,
): Promise<Losses> {
  const [slots, kept] = await Promise.all([
    withSession(leader, login, slotsOf),
    next === undefined
      ? []
      : next.query<{ name: string }>(
          `SELECT slot_name AS name FROM pg_catalog.pg_replication_slots AS slot WHERE ${isSynced}`,
        ),
  ]);
  return {
    tables: await unloggedTables(leader, login),
    slots: slots.filter((name) => !kept.some((slot) => slot.name === name)),
  };
}

/**
 * Of a new leader: what it has in empty tables, and slots that have stayed in the files of the former one, as far as
 * those can be read.
 */
export async function lossesAfter(
  leader: Member,
  login: { user: string; password: string },
  former: Member,
): Promise<Losses> {
  const there = await withSession(leader, login, slotsOf);
  const left = ((await listBelow(former.layout.data, "pg_replslot").catch(unlessStrange)) ?? []).map(
    ({ name }) => name,
  );
  const slots = left.filter((name) => !ours(name) && !name.endsWith(".tmp") && !there.includes(name)).toSorted();
  return { tables: await unloggedTables(leader, login), slots };
}

/** In words, each with its names; empty when there is nothing. */
export function lossesText({ tables, slots }: Losses): string {
  const some = (names: readonly string[]): string =>
    names.length > 10 ? `${names.slice(0, 10).join(", ")} and ${names.length - 10} more` : names.join(", ");
  return [
    tables.length === 0
      ? ""
      : `the rows of ${tables.length === 1 ? "the unlogged table" : "the unlogged tables"} ${some(tables)}`,
    slots.length === 0 ? "" : `the replication ${slots.length === 1 ? "slot" : "slots"} ${some(slots)}`,
  ]
    .filter((part) => part !== "")
    .join(" and ");
}

/** The columns are there from PostgreSQL 17 on. */
const isSynced =
  "coalesce((pg_catalog.to_jsonb(slot) ->> 'synced')::bool, false) AND NOT coalesce((pg_catalog.to_jsonb(slot) ->> 'temporary')::bool, false)";

async function slotsOf(session: Session): Promise<string[]> {
  const rows = await session.query<{ name: string }>(
    "SELECT slot_name AS name FROM pg_catalog.pg_replication_slots WHERE NOT temporary ORDER BY 1",
  );
  return rows.map(({ name }) => name).filter((name) => !ours(name));
}

async function unloggedTables(member: Member, login: { user: string; password: string }): Promise<string[]> {
  const databases = await withSession(member, login, (session) =>
    session.query<{ name: string }>(
      "SELECT datname AS name FROM pg_catalog.pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1",
    ),
  );
  const found: string[] = [];
  for (const { name } of databases) {
    const rows = await withSession(member, { ...login, database: name }, (session) =>
      session.query<{ table: string }>(unlogged),
    );
    found.push(...rows.map(({ table }) => `${name}.${table}`));
  }
  return found;
}

const unlogged = `SELECT pg_catalog.format('%I.%I', nspname, relname) AS table
  FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relpersistence = 'u' AND relkind IN ('r', 'm') ORDER BY 1`;

/** WAL files that wait for the archive command. */
export async function unarchived(session: Session): Promise<number> {
  const [row] = await session.query<{ files: number }>(
    `SELECT CASE WHEN pg_catalog.current_setting('archive_mode') = 'off' THEN 0
                 ELSE (SELECT count(*) FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready')::int END AS files`,
  );
  return row?.files ?? 0;
}
