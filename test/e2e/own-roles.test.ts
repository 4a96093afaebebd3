import { memberPort } from "../../src/model/ports.ts";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { queryAs } from "../support/query.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { layout } from "../../src/postgres/instance/directory.ts";
import { eventually, operatorPassword, worldIn } from "../support/world.ts";

/**
 * What an operator may do to Perch's own roles and its place among the connections. An error is an answer: nothing is
 * started again for it.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))(
  "a server that refuses Perch's own login",
  () => {
    const world = worldIn();
    const { ok, perch } = world;
    let leader = "";
    let pid: number | null = null;
    const others =
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'perch' AND pid <> pg_backend_pid()";
    const servesApps = async () => {
      const { code, stdout, stderr } = await queryAs(perch, "web", "SELECT 1");
      expect(code, stderr).toBe(0);
      return stdout;
    };
    /** Perch works with the cluster again, over the same postmaster. */
    const isWell = async (database: string) => {
      await eventually(
        "Perch comes in again",
        async () => (await perch(["postgres", "db", "create", database, "-a", "pg"])).code === 0,
        30_000,
      );
      expect((await world.leader()).pid).toBe(pid);
      expect(await readFile(join(layout(world.home, leader).data, "pg_hba.conf"), "utf8")).not.toMatch(/trust/);
      await servesApps();
    };

    beforeAll(async () => {
      await ok("up");
      await world.create();
      await ok("apps", "create", "web");
      await ok("postgres", "attach", "pg", "--app", "web");
      ({ id: leader, pid } = await world.leader());
    });
    afterAll(() => ok("down"));

    const changes: readonly [string, string[], string?][] = [
      [
        "another password of its role",
        ["ALTER ROLE perch PASSWORD 'of another cluster'; ALTER ROLE replicator PASSWORD 'of another cluster'"],
      ],
      [
        "another password of the operator's role, too",
        ["ALTER ROLE perch PASSWORD 'of another cluster'; ALTER ROLE postgres PASSWORD 'new for all'"],
      ],
      ["its role without the right to log in", ["ALTER ROLE perch NOLOGIN"]],
      ["its role without its rights", ["ALTER ROLE perch NOSUPERUSER"]],
      ["its role under another name", ["ALTER ROLE perch RENAME TO someone_else"]],
      ["a password that is out of date", ["ALTER ROLE perch VALID UNTIL 'yesterday'"]],
      ["no database postgres", ["DROP DATABASE postgres WITH (FORCE)"], "web"],
      ["a database postgres that takes no connections", ["ALTER DATABASE postgres ALLOW_CONNECTIONS false"], "web"],
    ];

    it.each(changes)(
      "is put right without a restart: %s",
      async (_what, statements, database) => {
        const told = async () => (await ok("events", "-a", "pg")).split("refused Perch's own login").length;
        const before = await told();
        const at = {
          host: layout(world.home, leader).sockets,
          port: memberPort,
          user: "postgres",
          database: database ?? "postgres",
        };
        const session = new pg.Client({ ...at, password: operatorPassword });
        session.on("error", () => undefined);
        await session.connect();
        for (const statement of statements) await session.query(statement);
        await session.query(others);
        await servesApps();
        await perch(["postgres", "users", "list", "-a", "pg"]); // the first who asks finds out
        await eventually("it is put right, and said", async () => (await told()) > before, 30_000);
        await isWell(`after_${changes.findIndex(([what]) => what === _what)}`);
        expect((await world.leader()).pid).toBe(pid);
        await session.query(`ALTER ROLE postgres PASSWORD '${operatorPassword}'`).catch(() => undefined);
        await session.end().catch(() => undefined);
      },
      90_000,
    );

    it("is left alone by a new perchd that finds every connection taken, which says whose they are, and nobody's is cut", async () => {
      const held: pg.Client[] = [];
      let cut = 0;
      await killHard([await known((await world.status()).daemon.pid)]);
      for (;;) {
        const client = await world.connect(leader).catch(() => undefined);
        if (client === undefined) break;
        client.on("end", () => (cut += 1));
        held.push(client);
      }
      expect(held.length).toBeGreaterThan(40);
      await ok("up");
      const { answer } = await eventually(
        "it says whose they are",
        async () => (await world.leader()).note?.includes("postgres has") === true && (await world.leader()),
      );
      expect(answer).toMatchObject({
        pid,
        note: expect.stringMatching(/too many clients already.*: postgres has \d+/) as string,
      });
      // Longer than a server may be silent.
      await new Promise((resolve) => setTimeout(resolve, 17_000));
      expect((await world.leader()).pid).toBe(pid);
      expect(cut).toBe(0);
      await Promise.all(held.map((client) => client.end()));
      await isWell("after_all");
    }, 120_000);
  },
);
