import { within } from "../base/deadline.ts";
import type { ClusterRecord } from "../model/records.ts";
import type { LogLine } from "../postgres/instance/log-line.ts";
import { lastLogLines } from "../postgres/instance/logs.ts";
import { fitOf } from "../postgres/replication/rewind.ts";
import { type Context, memberOf } from "../cluster/context.ts";
import type { Look, OnLeader } from "./look.ts";
import type { Apart } from "../cluster/view.ts";

/**
 * Why a replica does not stream, in the words of its own log, and whether what it waits for is gone. Only looks; asked
 * of one that stands apart from its leader.
 */
export async function apartOf(
  context: Context,
  cluster: ClusterRecord,
  one: Look,
  onLeader: OnLeader | undefined,
): Promise<Apart | undefined> {
  const { record, facts } = one;
  if (record.id === cluster.leader || facts.streaming || !facts.data || onLeader?.history === undefined)
    return undefined;
  const at = memberOf(context, cluster, record).layout;
  if (!facts.running) return { fit: await fitOf(at, onLeader.history), why: undefined, walGone: false };
  const why = whyNotStreaming(await lastLogLines(at.log, 60), Date.now());
  const segment = missingSegment(why);
  // What the leader once refused, it may have told of another timeline; what it does not have now cannot come.
  const walGone =
    segment !== undefined && (cluster.settings["restore_command"] ?? "") === "" && (await isGone(onLeader, segment));
  return { fit: undefined, why, walGone };
}

/** So long ago a line may say what is over. PostgreSQL tries again every half second, and says so each time. */
const recentMs = 20_000;

const tells =
  /could not connect to the primary|could not receive data from WAL stream|could not start WAL streaming|requested WAL segment|requested starting point|highest timeline .* of the primary|primary server contains no more WAL|terminating walreceiver|replication slot|database system identifier differs|WAL stream|invalid (record|resource|magic|page)|No space left|insufficient parameter settings/;

/** The last line of a replica's log that says why no WAL comes in; undefined when none does of late. Pure. */
export function whyNotStreaming(lines: readonly LogLine[], now: number): string | undefined {
  return lines.findLast(({ at, message }) => tells.test(message) && now - Date.parse(at) < recentMs)?.message;
}

/** The segment that the leader refused for good. Pure. */
export const missingSegment = (why: string | undefined): string | undefined =>
  /requested WAL segment ([0-9A-F]{24}) has already been removed/.exec(why ?? "")?.[1];

async function isGone({ session }: OnLeader, segment: string): Promise<boolean> {
  const asked = session.query<{ present: boolean }>(
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_ls_waldir() WHERE name = $1) AS present",
    [segment],
  );
  // Why it does not stream stays unknown for this look.
  const rows = await within(2_000, asked).catch(() => undefined);
  return rows?.[0]?.present === false;
}
