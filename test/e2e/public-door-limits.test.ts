import { once } from "node:events";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Exposure } from "../../src/api/schemas.ts";
import { signalProcess } from "../../src/host/process/process.ts";
import { hostAddress, type Internet, internet, sessionOver } from "../support/internet.ts";
import { repository, runToEnd, start, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { eventually, timed, worldIn } from "../support/world.ts";

/** What a door bears: guessers, crowds, the slow, and the death of everything around it. One story. */
const port = 5432;
const [guesser, crowd, neighbour, sixth] = ["203.0.113.7", "203.0.113.8", "203.0.113.9", "2001:db8:0:7::1"] as const;

describe.skipIf(missingTools("ip", "nft", "nsenter", "psql", "unshare --net true"))(
  "a public door under load and in trouble",
  () => {
    const world = worldIn();
    const { root, ok, json } = world;
    let net: Internet;
    let ca = "";
    let password = "";

    const up = async () =>
      succeeded(
        await runToEnd([...net.host, process.execPath, `${repository}/dist/cli/main.js`, "up"], {
          env: { PERCH_HOME: root },
        }),
      );
    const expose = (...more: string[]) =>
      json<Exposure>(
        "postgres",
        "expose",
        "-a",
        "pg",
        "--hostname",
        "db.example.com",
        "--listen",
        `[::]:${port}`,
        ...more,
      );
    const login = async (from: string, more: pg.ClientConfig = {}) =>
      sessionOver(await net.dial({ host: from.includes(":") ? "2001:db8::1" : hostAddress, port, from }), {
        user: "joe",
        password,
        database: "postgres",
        ssl: { ca, servername: "db.example.com" },
        ...more,
      });
    const comesIn = (from: string) =>
      login(from).then(
        (client) => client.end().then(() => true),
        () => false,
      );
    const guess = (from: string) =>
      login(from, { password: "guess" }).then(
        () => "in",
        (error: Error) => error.message,
      );
    const door = async () => (await world.client.call("listExposures", {}))[0];
    /** Whoever has gone is gone for the door, too. */
    const empty = () => eventually("the door is empty", async () => (await door())?.connections === 0);
    const doors = async () => (await processesOf(root)).filter(({ command }) => command.includes("ingress/main"));

    beforeAll(async () => {
      net = await internet([guesser, crowd, neighbour, sixth]);
      await up();
      await world.create("pg", "--initial-cluster-size", "2");
      ({ password } = await json<{ password: string }>("postgres", "users", "create", "-a", "pg", "joe"));
      await ok("apps", "create", "web");
      ca = await ok("certs", "ca");
      await expose(
        "--max-failures",
        "3",
        "--shut-for",
        "4",
        "--max-per-source",
        "5",
        "--max-connections",
        "8",
        "--max-rate",
        "10000",
      );
    });

    afterAll(async () => {
      await ok("down");
    });

    it("is a process without any right, inside the network", async () => {
      const [process_] = await doors();
      const status = succeeded(await runToEnd(["cat", `/proc/${process_?.pid}/status`]));
      expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
      expect(status).toMatch(/^CapEff:\t0+$/m);
    });

    it("shuts out who guesses passwords, that address alone, and for a while", async () => {
      const inside = "postgres://joe:guess@pg.internal:5432/postgres";
      for (const _ of [1, 2, 3])
        expect((await world.perch(["run", "-a", "web", "--", "psql", inside, "-c", "SELECT 1"])).code).not.toBe(0);
      for (const _ of [1, 2, 3]) expect(await guess(guesser)).toContain("password authentication failed");
      const { ms } = await eventually("the guesser is shut out", async () => !(await comesIn(guesser)));
      process.stderr.write(`shut out ${Math.round(ms)} ms after the last wrong password\n`);
      expect(await comesIn(neighbour)).toBe(true);
      expect((await door())?.shut.map(({ source }) => source)).toEqual([guesser]);
      expect(await ok("events", "-n", "20")).toContain(
        `${guesser} gave too many wrong passwords at the public door of pg and is shut out until`,
      );
      await eventually("the guesser may try again", () => comesIn(guesser));
    });

    it("tells sources of IPv6 apart by their /64", async () => {
      for (const _ of [1, 2, 3]) await guess(sixth);
      await eventually("it is shut out", async () => !(await comesIn(sixth)));
      expect((await door())?.shut.map(({ source }) => source)).toContain("2001:db8:0:7::/64");
    });

    it("bears so many of one address, so many in all, and no more", async () => {
      await empty();
      const five = await Promise.all([1, 2, 3, 4, 5].map(() => login(crowd)));
      expect(await comesIn(crowd)).toBe(false);
      const three = await Promise.all([1, 2, 3].map(() => login(neighbour)));
      expect(await comesIn(guesser)).toBe(false);
      expect((await door())?.connections).toBe(8);
      await Promise.all([...five, ...three].map((client) => client.end()));
      await eventually("there is room again", () => comesIn(guesser));
    });

    it("does not bother PostgreSQL for who says nothing, and ends him after ten seconds", async () => {
      await empty();
      const silent = await net.dial({ port, from: crowd });
      const closed = once(silent.resume(), "close");
      const { id } = await world.leader();
      const [count] = await world.sql<{ n: number }>(
        id,
        "SELECT count(*)::int AS n FROM pg_stat_activity WHERE client_addr IS NOT NULL",
      );
      expect(count?.n).toBe((await world.cluster()).members.length - 1);
      const { ms } = await timed("the silence of a client", closed);
      expect(ms).toBeLessThan(12_000);
    }, 30_000);

    it("holds little of what a slow reader does not take, and gives him all of it in the end", async () => {
      const client = await login(neighbour);
      const [process_] = await doors();
      const resident = async () =>
        Number(/VmRSS:\s+(\d+)/.exec(succeeded(await runToEnd(["cat", `/proc/${process_?.pid}/status`])))?.[1]);
      const before = await resident();
      // The stream is stopped below TLS: nothing is read from the socket.
      const socket = (client as unknown as { connection: { stream: { pause(): void; resume(): void } } }).connection
        .stream;
      const answer = client.query<{ line: string }>("SELECT repeat('x', 1000) AS line FROM generate_series(1, 60000)");
      socket.pause();
      const { id } = await world.leader();
      await eventually("PostgreSQL waits for him", async () => {
        const rows = await world.sql<{ w: string }>(
          id,
          "SELECT wait_event AS w FROM pg_stat_activity WHERE query LIKE 'SELECT repeat%'",
        );
        return rows.some(({ w }) => w === "ClientWrite");
      });
      expect((await resident()) - before).toBeLessThan(20_000);
      socket.resume();
      expect((await answer).rows).toHaveLength(60_000);
      await client.end();
    });

    it("passes on what cancels a query", async () => {
      const client = await login(neighbour);
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
      const slow = client.query("SELECT pg_sleep(60)").catch((error: { code?: string }) => error.code);
      const { id } = await world.leader();
      await eventually(
        "the query runs",
        async () =>
          (await world.sql(id, "SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")).length > 0,
      );
      const cancel = Buffer.alloc(16);
      for (const [at, word] of [16, 80_877_102, processID].entries()) cancel.writeInt32BE(word, at * 4);
      cancel.writeInt32BE(secretKey, 12);
      (await net.dial({ port, from: neighbour })).end(cancel);
      expect(await slow).toBe("57014");
      await client.end();
    });

    it("goes on while perchd is killed and comes back: for those inside, and for those who come", async () => {
      await empty();
      const client = await login(neighbour);
      const before = await doors();
      await killHard([await known((await world.status()).daemon.pid)]);
      expect((await client.query("SELECT 1")).rows).toHaveLength(1);
      expect(await comesIn(crowd)).toBe(true);
      await up();
      expect((await client.query("SELECT 1")).rows).toHaveLength(1);
      expect((await doors()).map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
      expect((await door())?.connections).toBe(1);
      for (const _ of [1, 2, 3]) await guess(guesser);
      await eventually("guesses are counted again", async () => !(await comesIn(guesser)));
      await client.end();
    });

    it("leaves nobody without an answer while a switchover lasts, and leads to the new leader after it", async () => {
      await empty();
      const { id } = await world.replica();
      const refused = (await door())?.refused;
      let changing = true;
      const attempts: { error: string | undefined; ms: number }[] = [];
      const comers = (async () => {
        while (changing) {
          const from = performance.now();
          const error = await login(neighbour).then(
            (client) => client.end().then(() => undefined),
            (reason: Error) => reason.message,
          );
          attempts.push({ error, ms: performance.now() - from });
        }
      })();
      await timed("switchover", ok("postgres", "failover", "-a", "pg", "--to", id));
      changing = false;
      await comers;
      expect(attempts.length).toBeGreaterThan(2);
      // They come one after the other: the one session that is at the old leader when that shuts down ends, and nobody
      // who comes is turned away.
      expect(attempts.filter(({ error }) => error !== undefined).length).toBeLessThanOrEqual(1);
      expect((await door())?.refused).toBe(refused);
      expect(Math.max(...attempts.map(({ ms }) => ms))).toBeLessThan(9_000);
      process.stderr.write(
        `${attempts.length} came meanwhile, the longest took ${Math.round(Math.max(...attempts.map(({ ms }) => ms)))} ms\n`,
      );
      const client = await login(neighbour);
      const { rows } = await client.query<{ name: string; standby: boolean }>(
        "SELECT current_setting('cluster_name') AS name, pg_is_in_recovery() AS standby",
      );
      expect(rows).toEqual([{ name: id, standby: false }]);
      await client.end();
    });

    it("is opened again when it is killed", async () => {
      await killHard(await doors());
      const { ms } = await eventually("somebody comes in again", () => comesIn(neighbour));
      process.stderr.write(`a killed door is open again after ${Math.round(ms)} ms\n`);
      expect(await doors()).toHaveLength(1);
    });

    it("goes on when a signal has stopped it, with the connections through it", async () => {
      const [stopped] = await doors();
      if (stopped === undefined) throw new Error("there is no door");
      await signalProcess(stopped, "SIGSTOP");
      await eventually("somebody comes in again", () => comesIn(neighbour), 30_000);
      expect((await doors()).map(({ pid }) => pid)).toEqual([stopped.pid]);
      expect(await ok("events", "-n", "20")).toContain("a signal had stopped it, and it goes on");
    });

    it("is shut by perch down, and open again after perch up", async () => {
      await ok("down");
      expect(await doors()).toEqual([]);
      await expect(net.dial({ port, from: neighbour })).rejects.toThrow("ECONNREFUSED");
      await up();
      await eventually("somebody comes in again", () => comesIn(neighbour));
    });

    it("says why it is closed where its port is taken in the meantime, and opens when that is free", async () => {
      await ok("down");
      const other = `require("net").createServer().listen(${port}, "::")`;
      const taker = await start([...net.host, process.execPath, "-e", other], { cwd: temporaryDirectory() });
      await eventually("the port is taken", async () =>
        succeeded(await runToEnd([...net.host, "ss", "-Hltn"])).includes(`:${port}`),
      );
      await up();
      expect(await door()).toMatchObject({
        state: "closed",
        why: expect.stringContaining("another program listens on that port"),
      });
      expect((await world.status()).warnings).toContainEqual(
        expect.objectContaining({ what: "network", subject: "pg", thing: "the public door" }),
      );
      taker.kill("SIGKILL");
      await taker.ended;
      await eventually("somebody comes in again", () => comesIn(neighbour));
    });
  },
);
