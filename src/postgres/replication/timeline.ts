import { fail } from "../../errors/error.ts";
import type { Session } from "../sql/session.ts";

/** Where a server's history left each earlier timeline: WAL of that timeline beyond it is not in this history. */
export type History = ReadonlyMap<number, bigint>;

/** The leader's timeline and the ones it came from. */
export async function historyOf(session: Session): Promise<{ timeline: number; forks: History }> {
  const [row] = await session.query<{ timeline: number; text: string | null }>(
    `SELECT timeline, pg_read_file('pg_wal/' || upper(lpad(to_hex(timeline), 8, '0')) || '.history', 0, 1048576, true) AS text
       FROM (SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline) AS now`,
  );
  if (row === undefined) throw fail("internal", { why: "pg_walfile_name() gave no row" });
  return { timeline: row.timeline, forks: parseHistory(row.text?.toUpperCase() ?? "") };
}

/**
 * Lines of `<timeline>\t<position it was left at>\t<reason>`. PostgreSQL's user can write this file, of any length:
 * each line is read by itself, and what is longer than a number may be is none.
 */
export function parseHistory(text: string): History {
  const forks = text.split("\n").flatMap((line): [number, bigint][] => {
    const [, timeline, high, low] = leftAt.exec(line) ?? [];
    return timeline === undefined ? [] : [[Number(timeline), (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)]];
  });
  return new Map(forks);
}

const leftAt = /^[ \t]{0,8}(\d{1,10})[ \t]{1,8}([0-9A-F]{1,8})\/([0-9A-F]{1,8})(?![0-9A-F])/i;

/** Whether WAL up to there, written on that timeline, is part of the history. */
export function isPartOf(
  { timeline, forks }: { timeline: number; forks: History },
  at: { timeline: number; position: bigint },
): boolean {
  if (at.timeline === timeline) return true;
  const fork = forks.get(at.timeline);
  return fork !== undefined && at.position <= fork;
}
