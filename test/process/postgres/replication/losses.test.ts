import { describe, expect, it } from "vitest";
import { ask } from "../../../../src/base/deadline.ts";
import { lossesAfter, lossesBefore, lossesText, unarchived } from "../../../../src/postgres/replication/losses.ts";
import { promote, slotOf } from "../../../../src/postgres/replication/replication.ts";
import { endConsumers, stopInOrder } from "../../../../src/postgres/instance/stop-in-order.ts";
import { asPerch, installed, sql } from "../../../support/ground.ts";
import { login, pairOf } from "../../../support/pair.ts";

describe.each(await installed())("a change of leader of PostgreSQL $major", (binaries) => {
  it("takes unlogged rows and the slots that no replica has, and says so before and after", async () => {
    const { leader, replica } = await pairOf(binaries, "loss", {
      wal_level: "logical",
      archive_mode: "on",
      archive_command: "false",
    });
    const next = await asPerch(replica);
    expect(await lossesBefore(leader, login, next)).toEqual({ tables: [], slots: [] });
    await sql(
      leader,
      'CREATE UNLOGGED TABLE public."Cache" (n int); INSERT INTO public."Cache" VALUES (1); CREATE TABLE public.kept (n int)',
    );
    await sql(leader, "SELECT pg_create_logical_replication_slot('cdc', 'test_decoding')");
    await sql(leader, "SELECT pg_create_physical_replication_slot('archive', true)");
    const kept = binaries.major >= 17;
    if (kept) {
      await sql(leader, "SELECT pg_create_logical_replication_slot('lives', 'test_decoding', false, false, true)");
      const synced = async () => {
        const rows = await sql(
          replica,
          "SELECT FROM pg_replication_slots WHERE slot_name = 'lives' AND synced AND NOT temporary",
        );
        // Its reader has to come to where the replica can keep it from.
        if (rows.length === 0) await sql(leader, "SELECT pg_log_standby_snapshot()");
        if (rows.length === 0)
          await sql(leader, "SELECT count(*) FROM pg_logical_slot_get_changes('lives', NULL, NULL)");
        return rows.length === 1 ? true : undefined;
      };
      expect(await ask(synced, { everyMs: 500, withinMs: 60_000 }), "the replica keeps it, too").toBe(true);
    }
    const losses = { tables: ['postgres.public."Cache"'], slots: ["archive", "cdc"] };
    expect(await lossesBefore(leader, login, next)).toEqual(losses);
    expect(lossesText(losses)).toBe(
      'the rows of the unlogged table postgres.public."Cache" and the replication slots archive, cdc',
    );
    await sql(leader, "SELECT pg_switch_wal()");
    expect(
      await ask(async () => ((await unarchived(await asPerch(leader))) > 0 ? true : undefined), {
        everyMs: 50,
        withinMs: 10_000,
      }),
    ).toBe(true);

    const session = await asPerch(leader);
    await endConsumers(session, slotOf(replica.id));
    await session.close();
    await stopInOrder(leader);
    await promote(next);
    expect(await lossesAfter(replica, login, leader)).toEqual(losses);
    expect(await sql(replica, 'SELECT count(*)::int AS n FROM public."Cache"')).toEqual([{ n: 0 }]);
    if (kept)
      expect(
        await sql(replica, "SELECT count(*)::int AS n FROM pg_logical_slot_get_changes('lives', NULL, NULL)"),
      ).toHaveLength(1);
    await next.close();
  });
});
