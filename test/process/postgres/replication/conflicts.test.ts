import { describe, expect, it } from "vitest";
import { ask } from "../../../../src/base/deadline.ts";
import { endConflicts, resumeReplay } from "../../../../src/postgres/replication/conflicts.ts";
import type { Member } from "../../../../src/postgres/instance/directory.ts";
import { promote, standing } from "../../../../src/postgres/replication/replication.ts";
import { withSession } from "../../../../src/postgres/sql/session.ts";
import { asPerch, installed, sql } from "../../../support/ground.ts";
import { login, pairOf } from "../../../support/pair.ts";

/** Whether it has replayed what the leader has written until now. */
async function replays(
  leader: Member,
  replica: Member,
  withinMs: number,
  meanwhile: () => Promise<unknown> = () => Promise.resolve(),
): Promise<boolean> {
  const { received } = await withSession(leader, login, standing);
  const there = async () => {
    if ((await withSession(replica, login, standing)).replayed >= received) return true;
    await meanwhile();
    return undefined;
  };
  return (await ask(there, { everyMs: 20, withinMs })) === true;
}

describe.each(await installed())("a replica of PostgreSQL $major", (binaries) => {
  it("is kept from replaying by a read, until the sessions that are in the way end, and no others", async () => {
    const { leader, replica } = await pairOf(binaries, "way");
    await sql(
      leader,
      "CREATE TABLE public.read (n int); INSERT INTO public.read SELECT generate_series(1, 1000); CREATE TABLE public.other (n int)",
    );
    expect(await replays(leader, replica, 10_000)).toBe(true);
    const [reader, bystander, own] = [await asPerch(replica), await asPerch(replica), await asPerch(replica)];
    await reader.query("BEGIN");
    await reader.query("SELECT count(*) FROM public.read");
    await bystander.query("BEGIN");
    await bystander.query("SELECT count(*) FROM public.other");

    await sql(leader, "ALTER TABLE public.read ADD COLUMN m int");
    expect(await replays(leader, replica, 700)).toBe(false);
    expect(await endConflicts(own)).toBe(1);
    expect(await replays(leader, replica, 10_000)).toBe(true);
    await expect(reader.query("SELECT 1")).rejects.toThrow(/terminat|queryable|ended/i);
    expect(await bystander.query("SELECT count(*)::int AS n FROM public.other")).toEqual([{ n: 0 }]);
    expect(await endConflicts(own)).toBe(0);

    // The other kind: a snapshot that needs what VACUUM took away.
    await bystander.query("COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ");
    await bystander.query("SELECT count(*) FROM public.read");
    await sql(leader, "DELETE FROM public.read");
    await sql(leader, "VACUUM public.read");
    let ended = 0;
    expect(await replays(leader, replica, 700)).toBe(false);
    expect(await replays(leader, replica, 10_000, async () => (ended += await endConflicts(own)))).toBe(true);
    expect(ended).toBe(1);
    await expect(bystander.query("SELECT 1")).rejects.toThrow(/terminat|queryable|ended/i);
    await own.close();
  });

  it("is promoted with all it has received, though a read is in the way and somebody has paused it", async () => {
    const { leader, replica } = await pairOf(binaries, "hold");
    await sql(leader, "CREATE TABLE public.read (n int)");
    expect(await replays(leader, replica, 10_000)).toBe(true);
    const [reader, own] = [await asPerch(replica), await asPerch(replica)];
    expect(await resumeReplay(own)).toBe(false);
    await own.query("SELECT pg_wal_replay_pause()");
    await reader.query("BEGIN");
    await reader.query("SELECT count(*) FROM public.read");
    await sql(leader, "DROP TABLE public.read; CREATE TABLE public.kept (n int)");
    expect(await replays(leader, replica, 300)).toBe(false);
    expect(await resumeReplay(own)).toBe(true);
    expect(await replays(leader, replica, 500)).toBe(false);
    await promote(own, 10_000, async () => void (await endConflicts(own)));
    expect(
      await own.query("SELECT to_regclass('public.read') AS read, to_regclass('public.kept')::text AS kept"),
    ).toEqual([{ read: null, kept: "public.kept" }]);
    await own.close();
  });
});
