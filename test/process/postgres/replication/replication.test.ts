import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask } from "../../../../src/base/deadline.ts";
import { takeBaseBackup } from "../../../../src/postgres/replication/base-backup.ts";
import type { Binaries } from "../../../../src/postgres/instance/binaries.ts";
import { hasData, type Member } from "../../../../src/postgres/instance/directory.ts";
import { createSlot, dropSlot, promote, slotOf, standing } from "../../../../src/postgres/replication/replication.ts";
import { start, stop } from "../../../../src/postgres/instance/server.ts";
import { sqlState, withSession } from "../../../../src/postgres/sql/session.ts";
import { survey } from "../../../../src/postgres/sql/probe.ts";
import { asPerch, installed, newLeader, newMember, passwords, settle, sql } from "../../../support/ground.ts";

const ways = (await installed()).flatMap((binaries) => [
  ...(binaries.has.basebackup ? [{ ...binaries, way: "pg_basebackup" }] : []),
  { ...binaries, way: "the backup functions" },
]);

const login = { user: "perch", password: passwords.superuser };
const streams = (member: Member): Promise<true | undefined> =>
  ask(async () => ((await withSession(member, login, standing)).streaming ? true : undefined), {
    everyMs: 20,
    withinMs: 10_000,
  });
/** Until the replica has replayed all that the leader has written. */
const caughtUp = (leader: Member, replica: Member): Promise<true | undefined> =>
  ask(
    async () => {
      const [ahead, behind] = [await withSession(leader, login, standing), await withSession(replica, login, standing)];
      return behind.replayed >= ahead.received ? true : undefined;
    },
    { everyMs: 20, withinMs: 10_000 },
  );

const sourceOf = (leader: Member, replica: Member) => ({
  leader,
  open: () => asPerch(leader),
  replicationPassword: passwords.replication,
  slot: slotOf(replica.id),
});

async function cloneOf(
  leader: Member,
  binaries: Binaries,
  id: string,
  byFunctions: boolean,
  onProgress?: (bytes: number, total: number | undefined) => void,
) {
  const replica = await newMember(binaries, id);
  await withSession(leader, login, (session) => createSlot(session, slotOf(replica.id)));
  await takeBaseBackup(replica, sourceOf(leader, replica), {
    byFunctions,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  await settle(replica, leader);
  await start(replica);
  return replica;
}

/** How many files and directories a copy that is under way has at its top. */
async function filesBeside(replica: Member): Promise<number> {
  const beside = (await readdir(replica.layout.root)).find((name) => name.startsWith("data.new-"));
  return beside === undefined ? 0 : (await readdir(join(replica.layout.root, beside)).catch(() => [])).length;
}

describe.each(ways)("a replica of PostgreSQL $major by $way", (binaries) => {
  const byFunctions = binaries.way !== "pg_basebackup";
  const letter = byFunctions ? "f" : "p";

  it("streams from the leader under write load, refuses writes, and takes them once promoted", async () => {
    const leader = await newLeader(binaries, `lead${letter}`);
    await sql(leader, "CREATE TABLE public.t (n int); INSERT INTO public.t SELECT generate_series(1, 200000)");
    let writing = true;
    const writer = (async () => {
      const session = await asPerch(leader);
      let written = 0;
      while (writing)
        await session.query("INSERT INTO public.t SELECT generate_series(1, 100)").then(() => (written += 100));
      await session.close();
      return written;
    })();
    const progress: number[] = [];
    const at = performance.now();
    const replica = await cloneOf(leader, binaries, `copy${letter}`, byFunctions, (bytes) => progress.push(bytes));
    expect(await streams(replica)).toBe(true);
    process.stderr.write(
      `PostgreSQL ${binaries.version}: copied by ${binaries.way} to streaming in ${Math.round(performance.now() - at)} ms\n`,
    );
    writing = false;
    const rows = 200_000 + (await writer);
    if (byFunctions) expect(progress.at(-1)).toBeGreaterThan(20_000_000);

    expect(await caughtUp(leader, replica)).toBe(true);
    expect(await sql(replica, "SELECT count(*)::int AS n FROM public.t")).toEqual([{ n: rows }]);
    const { lags, usage } = await withSession(leader, login, survey);
    expect([...lags.keys()]).toEqual([replica.id]);
    expect(usage.slots.each).toMatchObject([{ name: slotOf(replica.id), active: true, state: "reserved" }]);
    await expect(sql(replica, "INSERT INTO public.t VALUES (0)")).rejects.toSatisfy(
      (error) => sqlState(error) === "25006",
    );

    await stop(leader, "fast");
    const started = performance.now();
    await withSession(replica, login, (session) => promote(session));
    process.stderr.write(`PostgreSQL ${binaries.version}: promoted in ${Math.round(performance.now() - started)} ms\n`);
    expect(await sql(replica, "INSERT INTO public.t VALUES (0) RETURNING n")).toEqual([{ n: 0 }]);
    expect(await withSession(replica, login, standing)).toMatchObject({ recovering: false, streaming: false });
    expect(await settle(replica), "a leader now").toBe("reload");
    await stop(replica, "fast");
    await start(replica);
    expect(await sql(replica, "SELECT count(*)::int AS n FROM public.t")).toEqual([{ n: rows + 1 }]);
  });

  it("starts and streams again after its leader was away", async () => {
    const leader = await newLeader(binaries, `away${letter}`);
    const replica = await cloneOf(leader, binaries, `stay${letter}`, byFunctions);
    expect(await streams(replica)).toBe(true);
    await stop(leader, "immediate");
    await stop(replica, "immediate");
    await start(replica);
    expect((await withSession(replica, login, standing)).streaming).toBe(false);
    await start(leader);
    const at = performance.now();
    expect(await streams(replica)).toBe(true);
    process.stderr.write(
      `PostgreSQL ${binaries.version}: streams again ${Math.round(performance.now() - at)} ms after the leader's return\n`,
    );
    await withSession(leader, login, (session) => dropSlot(session, slotOf(replica.id)));
    await withSession(leader, login, (session) => dropSlot(session, slotOf(replica.id)));
    expect((await withSession(leader, login, survey)).usage.slots.each).toEqual([]);
  });

  it("starts with fewer connections only after its leader did", async () => {
    const leader = await newLeader(binaries, `many${letter}`);
    const replica = await cloneOf(leader, binaries, `few${letter}`, byFunctions);
    const fewer = { max_connections: "50" };
    const connections = () => sql(replica, "SELECT current_setting('max_connections') AS n");
    const restart = async (member: Member) => {
      await settle(member, member === replica ? leader : undefined, fewer);
      await stop(member, "fast");
      await start(member);
    };
    await restart(replica);
    expect(await connections()).toEqual([{ n: "300" }]);
    await restart(leader);
    expect(await streams(replica)).toBe(true);
    expect(await caughtUp(leader, replica)).toBe(true);
    await restart(replica);
    expect(await connections()).toEqual([{ n: "50" }]);
  });

  it("that is interrupted while it is copied leaves nothing, and its slot can be dropped", async () => {
    const leader = await newLeader(binaries, `cut${letter}`);
    for (const cut of ["at once", "with files"]) {
      const replica = await newMember(binaries, `part${letter}${cut.length}`);
      await withSession(leader, login, (session) => createSlot(session, slotOf(replica.id)));
      const interrupt = new AbortController();
      if (cut === "at once") interrupt.abort();
      const copying = takeBaseBackup(replica, sourceOf(leader, replica), { byFunctions, signal: interrupt.signal });
      copying.catch(() => undefined); // looked at below
      await ask(async () => (interrupt.signal.aborted || (await filesBeside(replica)) > 20 ? true : undefined), {
        everyMs: 1,
        withinMs: 10_000,
      });
      interrupt.abort();
      await expect(copying).rejects.toMatchObject({ code: "cancelled" });
      expect(await hasData(replica.layout)).toBe(false);
      expect((await readdir(replica.layout.root)).filter((name) => name.startsWith("data"))).toEqual([]);
      await withSession(leader, login, (session) => dropSlot(session, slotOf(replica.id)));
    }
    expect((await withSession(leader, login, survey)).usage.slots.each).toEqual([]);
    expect(await sql(leader, "SELECT count(*)::int AS n FROM pg_stat_replication")).toEqual([{ n: 0 }]);
  });

  it("of a leader that does not run says so and leaves nothing", async () => {
    const leader = await newLeader(binaries, `none${letter}`);
    await stop(leader, "fast");
    const replica = await newMember(binaries, `lost${letter}`);
    await expect(takeBaseBackup(replica, sourceOf(leader, replica), { byFunctions })).rejects.toMatchObject({
      code: "base_backup_failed",
    });
    expect((await readdir(replica.layout.root)).filter((name) => name.startsWith("data"))).toEqual([]);
  });
});
