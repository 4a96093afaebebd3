import type { Socket } from "node:net";
import pg from "pg";
import { describe, expect, it } from "vitest";
import { ask } from "../../../../src/base/deadline.ts";
import { identify, isSuspended, signalProcess } from "../../../../src/host/process/process.ts";
import type { ProcessIdentity } from "../../../../src/model/records.ts";
import { readControlFile } from "../../../../src/postgres/instance/control-file.ts";
import type { Member } from "../../../../src/postgres/instance/directory.ts";
import { find } from "../../../../src/postgres/instance/postmaster.ts";
import { slotOf, standing } from "../../../../src/postgres/replication/replication.ts";
import { start } from "../../../../src/postgres/instance/server.ts";
import { withSession } from "../../../../src/postgres/sql/session.ts";
import { endConsumers, stopInOrder } from "../../../../src/postgres/instance/stop-in-order.ts";
import { installed, passwords, sql } from "../../../support/ground.ts";
import { login, pairOf } from "../../../support/pair.ts";

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

async function suspend(pid: number): Promise<ProcessIdentity> {
  const found = await identify(pid);
  if (found === undefined || !(await signalProcess(found, "SIGSTOP"))) throw new Error(`there is no process ${pid}`);
  expect(await ask(async () => ((await isSuspended(found)) ? true : undefined), { everyMs: 5, withinMs: 2_000 })).toBe(
    true,
  );
  return found;
}

/** As a switchover stops the old leader: in order, and the replica has all of it. */
async function handsOver(leader: Member, replica: Member): Promise<number> {
  const ms = await timed(async () => {
    await withSession(leader, login, (session) => endConsumers(session, slotOf(replica.id)));
    await stopInOrder(leader);
  });
  const control = await readControlFile(leader.layout);
  expect(control?.state).toBe("shut down");
  expect(await find(leader.layout)).toBeUndefined();
  const whole = async () =>
    (await withSession(replica, login, standing)).replayed > (control?.checkpoint ?? 0n) ? true : undefined;
  expect(await ask(whole, { everyMs: 5, withinMs: 1_000 })).toBe(true);
  return ms;
}

/** Somebody who reads the slot `stuck`, and takes nothing of what is sent: as one that a signal stopped. */
async function deaf(leader: Member): Promise<Socket> {
  const at = {
    host: leader.layout.sockets,
    port: leader.port,
    user: "postgres",
    password: passwords.operator,
    database: "postgres",
  };
  const client = new pg.Client({ ...at, replication: "database" } as pg.ClientConfig);
  client.on("error", () => undefined);
  await client.connect();
  client.query("START_REPLICATION SLOT stuck LOGICAL 0/0").catch(() => undefined);
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  stream.pause();
  return stream;
}

const wal = (process: string) => `SELECT pid FROM pg_stat_activity WHERE backend_type = '${process}'`;

describe.each(await installed())("a leader of PostgreSQL $major that stops for another", (binaries) => {
  it("waits for nobody who reads its WAL but the next leader, though one does not move and is far behind", async () => {
    const { leader, replica } = await pairOf(binaries, "read", { wal_level: "logical" });
    await sql(leader, "SELECT pg_create_logical_replication_slot('stuck', 'test_decoding')");
    const reader = await deaf(leader);
    const reads = async () =>
      (await sql(leader, "SELECT FROM pg_replication_slots WHERE slot_name = 'stuck' AND active")).length === 1
        ? true
        : undefined;
    expect(await ask(reads, { everyMs: 20, withinMs: 10_000 })).toBe(true);
    await sql(leader, "CREATE TABLE public.much AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 20000)");
    expect(await handsOver(leader, replica)).toBeLessThan(1_500);
    reader.destroy();
    await start(leader);
    expect(await sql(leader, "SELECT count(*)::int AS n FROM public.much")).toEqual([{ n: 20_000 }]);
  });

  it.each([
    ["a slow archive command", false],
    ["an archiver that a signal stopped", true],
  ])("does not wait longer than a second for %s", async (_title, stopped) => {
    const { leader, replica } = await pairOf(binaries, stopped ? "arcs" : "arch", {
      archive_mode: "on",
      archive_command: "sleep 3600",
    });
    await sql(leader, "SELECT pg_switch_wal()");
    const [archiver] = await sql<{ pid: number }>(leader, wal("archiver"));
    if (stopped) await suspend(archiver?.pid ?? 0);
    expect(await handsOver(leader, replica)).toBeLessThan(2_500);
    const found = await identify(archiver?.pid ?? 0);
    expect(found, "the archiver is gone, too").toBeUndefined();
  });
});
