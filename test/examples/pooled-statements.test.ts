import { cp } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { beforeAll, describe, expect, it } from "vitest";
import type { PoolStatus } from "../../src/api/schemas.ts";
import { knowsPreparedStatements } from "../../src/model/pool.ts";
import { findPooler } from "../../src/pgbouncer/server.ts";
import { lastLine } from "../support/driver.ts";
import { attachPooled, type Example, exampleOf } from "../support/example.ts";
import { repository } from "../support/perch.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { eventually } from "../support/world.ts";

/**
 * Many clients with prepared statements share few connections, and each must read what it asked for. One story: each
 * test goes on where the one before it ended.
 */
describe.skipIf(missingTools("pgbouncer", "python3 -c 'import ensurepip'"))(
  "clients that prepare statements, through the pooler",
  async () => {
    const knows = knowsPreparedStatements((await findPooler().catch(() => ({ version: "0" }))).version);
    const whole = { right: 2_000, wrong: 0, errors: 0 };
    let python: Example;
    let node: Example;

    const { ok, error, json } = {
      ok: (...argv: string[]) => python.world.ok(...argv),
      error: (...argv: string[]) => python.world.error(...argv),
      json: <T>(...argv: string[]) => python.world.json<T>(...argv),
    };
    const pool = (...argv: string[]) => ok("postgres", "pool", "on", "-a", "pg", ...argv);
    const status = () => json<PoolStatus>("postgres", "pool", "status", "-a", "pg");
    const psycopg = async (more = {}) =>
      lastLine(await python.run(".venv/bin/python", "statements.py", JSON.stringify(more)));
    const nodePostgres = async (name: string) => lastLine(await node.run("node", "statements.mjs", name));

    beforeAll(async () => {
      python = await exampleOf("python");
      node = await exampleOf("node", python.world);
      for (const [example, program] of [
        [python, "statements.py"],
        [node, "statements.mjs"],
      ] as const)
        await cp(join(repository, "test/examples/drivers", program), join(example.directory, program));
      await python.prepare(["python3", "-m", "venv", ".venv"]);
      await python.prepare([".venv/bin/pip", "install", "-q", "-r", "requirements.lock"]);
      await node.prepare(["npm", "ci", "--no-audit", "--no-fund"]);
      await attachPooled(python, "--size", "30");
    });

    it("read nothing but their own by default, whatever PgBouncer there is", async () => {
      expect(await status()).toMatchObject({ mode: knows ? "transaction" : "session", preparedStatements: true });
      expect(await psycopg()).toEqual(whole);
      expect(await nodePostgres("named")).toEqual(whole);
    });

    it.skipIf(knows)(
      "are not put into transaction mode by a PgBouncer before 1.21, unless it is said that none prepares",
      async () => {
        const refused = await error("postgres", "pool", "on", "-a", "pg", "--mode", "transaction");
        expect(refused).toMatchObject({ code: "pool_mode_unsafe", exit: 1 });
        expect(await error("postgres", "pool", "on", "-a", "pg", "--no-prepared-statements")).toMatchObject({
          code: "usage_invalid",
          exit: 2,
        });
        expect(await status()).toMatchObject({ mode: "session" });
      },
    );

    it("read nothing but their own in transaction mode, where each is told what attach, status and the recipe repeat", async () => {
      expect(await pool("--mode", "transaction", "--no-prepared-statements", "--size", "5")).toContain(
        "No client may prepare statements",
      );
      expect(await ok("postgres", "pool", "status", "-a", "pg")).toContain("No client may prepare statements");
      expect(await ok("status")).toContain("no client may prepare statements");
      expect(await ok("postgres", "attach", "pg", "--app", "web", "--pooled", "--if-not-attached")).toContain(
        "No client may prepare statements",
      );
      expect(await ok("postgres", "recipe", "python", "-a", "web")).toContain(
        "psycopg.connect(conninfo, prepare_threshold=None)",
      );
      expect(await psycopg({ prepare_threshold: null })).toEqual(whole);
      expect(await nodePostgres("unnamed")).toEqual(whole);
    });

    it("begin again in another mode, and find nothing there that others left behind", async () => {
      await ok("run", "-a", "web", "--", "psql", "-qc", "SET search_path = left_behind");
      const settings = "SELECT current_setting('search_path')";
      expect(await ok("run", "-a", "web", "--", "psql", "-qtAc", settings)).toBe("left_behind\n");
      await pool("--mode", "session");
      expect(await ok("run", "-a", "web", "--", "psql", "-qtAc", settings)).toBe('"$user", public\n');
      expect(await psycopg()).toEqual(whole);
    });

    it.skipIf(knows)(
      "are put into session mode where an older Perch had them in transaction mode, and told by an event",
      async () => {
        await pool("--mode", "transaction", "--no-prepared-statements", "--size", "30");
        await killHard([await known((await python.world.status()).daemon.pid)]);
        const db = new DatabaseSync(join(python.world.home.root, "perch.db"));
        db.exec("PRAGMA busy_timeout = 10000");
        db.exec(
          "UPDATE kv SET value = json_remove(value, '$.pool.preparedStatements') WHERE json_extract(value, '$.pool.mode') = 'transaction'",
        );
        db.close();
        await ok("up");
        await eventually("it is in session mode", async () => {
          const { mode, poolers } = await status();
          return mode === "session" && poolers.every(({ state }) => state === "started");
        });
        const said =
          "switch the pooler of pg to session mode: in transaction mode PgBouncer 1.18.0 gives wrong rows to clients that prepare statements";
        const events = await ok("events", "-a", "pg");
        expect(events).toContain(said.replace("1.18.0", (await status()).version ?? ""));
        expect(events.match(/is in session mode from now on/g)).toHaveLength(1);
        expect(await psycopg()).toEqual(whole);
        await pool();
        expect(await status()).toMatchObject({ mode: "session" });
      },
    );
  },
);
