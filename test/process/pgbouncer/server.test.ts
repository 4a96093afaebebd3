import { appendFile, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { ask, within } from "../../../src/base/deadline.ts";
import { isAlive, signalProcess } from "../../../src/host/process/process.ts";
import { freePort } from "../../../src/host/sockets/ports.ts";
import { describe as describePooler, openConsole } from "../../../src/pgbouncer/console.ts";
import { admit, makePoolUser } from "../../../src/pgbouncer/lookup.ts";
import { guardPause } from "../../../src/pgbouncer/pause-guard.ts";
import { poolLayout } from "../../../src/pgbouncer/layout.ts";
import {
  ensurePooler,
  findPooler,
  findPoolerProcess,
  keepLogShort,
  type Pooler,
  poolerIsCurrent,
  removePooler,
} from "../../../src/pgbouncer/server.ts";
import { issueCertificate } from "../../../src/postgres/tls/certificate.ts";
import { createUser } from "../../../src/postgres/sql/roles.ts";
import { asPerch, authority, home, installed, newLeader, place } from "../../support/ground.ts";
import { runToEnd } from "../../support/perch.ts";
import { missingTools } from "../../support/tools.ts";

/** A real PgBouncer before a real PostgreSQL. One story: each test goes on where the one before it ended. */
describe.skipIf(missingTools("pgbouncer"))("a pooler", async () => {
  const [binaries] = await installed();
  if (binaries === undefined) throw new Error("there is no PostgreSQL");
  const leader = await newLeader(binaries, "pooled");
  const session = await asPerch(leader);
  await makePoolUser(session, 'pool"s secret');
  await createUser(session, { name: "web", password: "web's secret" });
  await admit(session, "postgres");
  await session.query("ALTER ROLE web SET statement_timeout = '1min'");
  await session.close();
  const port = (await freePort()) ?? 0;
  const pooler: Pooler = {
    at: poolLayout(home, "pg", "leader"),
    place,
    config: {
      address: "127.0.0.1",
      port,
      target: { host: "127.0.0.1", port: leader.port },
      mode: "transaction",
      preparedStatements: false,
      size: 2,
    },
    password: 'pool"s secret',
    certificate: await issueCertificate(authority, {
      commonName: "pg.internal",
      names: ["localhost"],
      addresses: ["127.0.0.1"],
    }),
  };
  afterAll(() => removePooler(pooler.at));

  const connect = async (password = "web's secret", user = "web"): Promise<pg.Client> => {
    const client = new pg.Client({
      host: "localhost",
      port,
      user,
      password,
      database: "postgres",
      ssl: { ca: authority.certificate },
    });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };
  const console = () => openConsole(pooler.at, { port, password: pooler.password });

  it("starts once, and lets a role in by a password that only PostgreSQL knows", async () => {
    await ensurePooler(pooler);
    const first = await findPoolerProcess(pooler.at);
    await ensurePooler(pooler);
    expect(await findPoolerProcess(pooler.at)).toEqual(first);
    expect(await poolerIsCurrent(pooler, (await findPooler()).version)).toBe(true);
    const client = await connect();
    expect((await client.query("SELECT current_user AS who")).rows).toEqual([{ who: "web" }]);
    await client.end();
  });

  it.each([
    ["a wrong password", "wrong", "web"],
    ["one of Perch's own roles", "perch-secret-1", "perch"],
    ["the role that replicates", "repl:i\\cator-1", "replicator"],
    ["a role that is not there", "web's secret", "nobody"],
  ])("refuses %s", async (_what, password, user) => {
    await expect(connect(password, user)).rejects.toThrow(/authentication failed|no such user/);
  });

  it("shares its connections among more clients than it has of them", async () => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => connect()));
    const backends = await Promise.all(
      clients.map(
        async (client) => (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0]?.pid,
      ),
    );
    expect(new Set(backends).size).toBeLessThanOrEqual(2);
    await Promise.all(clients.map((client) => client.end()));
  });

  it("keeps clients waiting between two transactions while it is paused, and fails none of them", async () => {
    const client = await connect();
    const asking = await console();
    await asking.ask("PAUSE");
    let answered = false;
    const waiting = client.query("SELECT 1 AS one").then(({ rows }) => {
      answered = true;
      return rows;
    });
    const pools = async () => asking.ask<{ user: string; cl_waiting: number }>("SHOW POOLS");
    const held = async () => ((await pools()).find(({ user }) => user === "web")?.cl_waiting === 1 ? true : undefined);
    expect(await ask(held, { everyMs: 5, withinMs: 20_000 })).toBe(true);
    expect(answered).toBe(false);
    await asking.ask("RESUME");
    expect(await waiting).toEqual([{ one: 1 }]);
    await asking.close();
    await client.end();
  });

  it("gives up waiting for a transaction that goes on for too long, and can still be told to go on", async () => {
    const [busy, other, pausing] = [await connect(), await connect(), await console()];
    await busy.query("BEGIN");
    await expect(pausing.ask("PAUSE", 100)).rejects.toMatchObject({ code: "pooler_failed" });
    const asking = await console();
    await asking.ask("RESUME");
    expect((await other.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    expect((await busy.query("COMMIT")).command).toBe("COMMIT");
    await Promise.all([asking.close(), pausing.close(), busy.end(), other.end()]);
  });

  it("lets its clients go on by itself where who paused it was killed, or does nothing any more", async () => {
    const [client, asking, process] = [await connect(), await console(), await findPoolerProcess(pooler.at)];
    if (process === undefined) throw new Error("no pooler runs");
    const goesOn = async () => (await within(10_000, client.query("SELECT 1 AS one")))?.rows;
    await asking.ask("PAUSE");
    await guardPause(process, { atMostSeconds: 1, afterEndSeconds: 60 });
    expect(await goesOn()).toEqual([{ one: 1 }]);
    await asking.ask("PAUSE");
    const guard = join(import.meta.dirname, "../../../src/pgbouncer/pause-guard.ts");
    const killed = `import { guardPause } from ${JSON.stringify(guard)};
await guardPause(${JSON.stringify(process)}, { atMostSeconds: 60, afterEndSeconds: 1 });
globalThis.process.kill(globalThis.process.pid, "SIGKILL");`;
    expect(
      (await runToEnd([globalThis.process.execPath, "--import", "tsx", "--input-type=module", "-e", killed])).code,
    ).not.toBe(0);
    expect(await goesOn()).toEqual([{ one: 1 }]);
    // Another process by that number is not signalled: SIGUSR2 would end it.
    await guardPause({ pid: globalThis.process.pid, startTime: "1" }, { atMostSeconds: 0.1, afterEndSeconds: 60 });
    await Promise.all([asking.close(), client.end()]);
  });

  const starting = (more: pg.ClientConfig): pg.Client => {
    const client = new pg.Client({
      host: "localhost",
      port,
      user: "web",
      password: "web's secret",
      database: "postgres",
      ...more,
    });
    client.on("error", () => undefined);
    return client;
  };

  it("refuses a session what it cannot keep and what would change its rows, rather than forget it", async () => {
    await expect(starting({ options: "-c search_path=other" }).connect()).rejects.toMatchObject({ code: "08P01" });
    await expect(starting({ options: "-c default_transaction_read_only=on" }).connect()).rejects.toThrow(
      /unsupported startup parameter/,
    );
  });

  it.each([
    { statement_timeout: 1_000 },
    { lock_timeout: 1_000 },
    { idle_in_transaction_session_timeout: 1_000 },
    { statement_timeout: 1, lock_timeout: 1 },
  ])("accepts the limits of a session at its start, and keeps those that the role has: %j", async (limits) => {
    const client = starting(limits);
    await client.connect();
    const shown =
      "SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock, pg_sleep(0.01)";
    expect((await client.query(shown)).rows).toMatchObject([{ statement: "1min", lock: "0" }]);
    await client.end();
  });

  it("keeps little of what it has to say", async () => {
    await appendFile(pooler.at.log, "x".repeat(5 * 1024 * 1024));
    await keepLogShort(pooler.at);
    await signalProcess((await findPoolerProcess(pooler.at)) ?? { pid: 0, startTime: "" }, "SIGHUP");
    const said = async () => /SIGHUP/.test(await readFile(pooler.at.log, "utf8")) || undefined;
    expect(await ask(said, { everyMs: 5, withinMs: 20_000 })).toBe(true);
    expect((await stat(pooler.at.log)).size).toBeLessThan(10_000);
  });

  it("takes a new size while its clients stay, and a new mode with none of its connections left", async () => {
    const { version } = await findPooler();
    const [idle, busy, before] = [await connect(), await connect(), await findPoolerProcess(pooler.at)];
    const asked = async (client: pg.Client, text: string) =>
      (await client.query<{ answer: unknown }>(text)).rows[0]?.answer;
    const left = "SELECT current_setting('search_path') AS answer";
    await idle.query("SET search_path = left_behind");
    await ensurePooler({ ...pooler, config: { ...pooler.config, size: 3 } });
    expect(await asked(idle, left)).toBe("left_behind");
    const other: Pooler = { ...pooler, config: { ...pooler.config, mode: "session", size: 3 } };
    const ends = asked(busy, "SELECT pg_sleep(0.5), 'ended' AS answer");
    await ensurePooler(other);
    expect(await ends).toBe("ended"); // what is under way may end
    await expect(idle.query("SELECT 1")).rejects.toThrow(/terminat|closed|not queryable|connection/i);
    expect(await poolerIsCurrent(other, version)).toBe(true);
    expect(await findPoolerProcess(pooler.at)).not.toEqual(before);
    const fresh = await connect();
    expect(await asked(fresh, left)).not.toBe("left_behind");
    await fresh.end();
  });

  it("is known by the mode that it is in, not by the one that its files say", async () => {
    await writeFile(
      pooler.at.config,
      (await readFile(pooler.at.config, "utf8")).replace("pool_mode = session", "pool_mode = transaction"),
    );
    const asking = await console();
    expect(await describePooler(asking)).toMatchObject({ mode: "session" });
    const before = await findPoolerProcess(pooler.at);
    await ensurePooler(pooler);
    expect(await findPoolerProcess(pooler.at)).not.toEqual(before);
    const again = await console();
    expect(await describePooler(again)).toMatchObject({ mode: "transaction" });
    await Promise.all([asking.close(), again.close()]);
  });

  it("is started again when it was killed, when its number was lost, and ended though a signal stopped it", async () => {
    const first = await findPoolerProcess(pooler.at);
    if (first === undefined) throw new Error("it does not run");
    await signalProcess(first, "SIGKILL");
    await ensurePooler(pooler);
    const second = await findPoolerProcess(pooler.at);
    await rm(join(pooler.at.root, "pid"));
    await ensurePooler(pooler);
    expect(second === undefined || (await isAlive(second))).toBe(false);
    const third = await findPoolerProcess(pooler.at);
    if (third === undefined) throw new Error("it does not run");
    await (await connect()).end();
    await signalProcess(third, "SIGSTOP");
    await removePooler(pooler.at);
    expect(await isAlive(third)).toBe(false);
    await removePooler(pooler.at); // twice is the same as once
  });

  it("says why it cannot start", async () => {
    const taken = { ...pooler, at: poolLayout(home, "pg", "other"), config: { ...pooler.config, port: leader.port } };
    await expect(ensurePooler(taken)).rejects.toMatchObject({
      code: "pooler_failed",
      message: expect.stringMatching(/cannot listen|in use/) as string,
    });
    await removePooler(taken.at);
  });
});
