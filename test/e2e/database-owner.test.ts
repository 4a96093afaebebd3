import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { queryAs } from "../support/query.ts";
import { killHard, known } from "../support/traces.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

/**
 * An app that owns a database, and what Perch and the operator do in that. One story: each test goes on where the one
 * before it ended.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer"))("the owner of a database", () => {
  const world = worldIn();
  const { ok, perch } = world;
  const asWeb = async (sql: string): Promise<string> => {
    const { code, stdout, stderr } = await queryAs(perch, "web", sql);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };
  const superusers = async () =>
    (
      await world.sql<{ name: string }>(
        (await world.leader()).id,
        "SELECT rolname AS name FROM pg_roles WHERE rolsuper ORDER BY 1",
      )
    ).map(({ name }) => name);

  beforeAll(async () => {
    await ok("up");
    await world.create();
    await ok("apps", "create", "web");
    await ok("postgres", "attach", "pg", "--app", "web");
  });
  afterAll(() => ok("down"));

  it("does not become a superuser when Perch looks into it: pool on, another perchd, detach and attach", async () => {
    await asWeb(`CREATE SCHEMA evil;
      CREATE FUNCTION evil.rise() RETURNS SETOF int LANGUAGE plpgsql AS
        $x$ BEGIN ALTER ROLE web SUPERUSER; RETURN NEXT 1; EXCEPTION WHEN OTHERS THEN RETURN NEXT 1; END $x$;
      CREATE VIEW evil.pg_namespace AS SELECT n.* FROM pg_catalog.pg_namespace n, evil.rise();
      CREATE VIEW evil.pg_proc AS SELECT p.* FROM pg_catalog.pg_proc p, evil.rise();
      CREATE VIEW evil.pg_roles AS SELECT r.* FROM pg_catalog.pg_roles r, evil.rise();
      GRANT USAGE ON SCHEMA evil TO PUBLIC;
      ALTER DATABASE web SET search_path = evil, pg_catalog`);
    expect(await superusers()).toEqual(["perch", "postgres"]);
    await ok("postgres", "pool", "on", "-a", "pg");
    const { id } = await world.leader();
    await killHard([await known((await world.status()).daemon.pid)]);
    await world.sql(id, "DROP FUNCTION pg_catalog.perch_pool_lookup(text)", "web");
    await ok("up");
    const admitted = () => world.sql(id, "SELECT FROM pg_catalog.pg_proc WHERE proname = 'perch_pool_lookup'", "web");
    await eventually("the pooler may look into it again", async () => (await admitted()).length > 0);
    await ok("apps", "create", "other");
    await ok("postgres", "attach", "pg", "--app", "other", "--database-name", "web", "--yes");
    await ok("postgres", "detach", "pg", "--app", "other");
    expect(await superusers()).toEqual(["perch", "postgres"]);
  });

  it("does not choose what the operator's psql means by a name", async () => {
    const psql = (...args: string[]) => ok("postgres", "connect", "-a", "pg", "-d", "web", ...args);
    expect(await psql("--", "-XAtc", "SELECT count(*) > 0 FROM pg_namespace, pg_roles", "-c", "SHOW search_path")).toBe(
      "t\npg_catalog,pg_temp\n",
    );
    expect(await superusers()).toEqual(["perch", "postgres"]);
    // As the app's own user it is as the app has it.
    expect(await psql("-u", "web", "--", "-XAtc", "SHOW search_path")).toBe("evil, pg_catalog\n");
  });

  it("nor when the operator lists, looks, rotates and removes: users, db, doctor, status, detach of the owner, db drop", async () => {
    const { id } = await world.leader();
    await ok("apps", "create", "shop");
    await ok("postgres", "attach", "pg", "--app", "shop", "--database-name", "shop");
    const evil = `CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
      CREATE FUNCTION evil.rise() RETURNS bool LANGUAGE plpgsql AS
        $x$ BEGIN ALTER ROLE shop SUPERUSER; RETURN true; EXCEPTION WHEN OTHERS THEN RETURN true; END $x$;
      CREATE FUNCTION evil.same(name, name) RETURNS bool LANGUAGE sql AS 'SELECT evil.rise() AND $1::text OPERATOR(pg_catalog.=) $2::text';
      CREATE FUNCTION evil.equal(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT evil.rise() AND $1::int8 OPERATOR(pg_catalog.=) $2::int8';
      CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.same);
      CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.equal);
      CREATE FUNCTION evil.pg_get_userbyid(oid) RETURNS name LANGUAGE sql AS 'SELECT pg_catalog.pg_get_userbyid($1) WHERE evil.rise()';
      CREATE FUNCTION evil.quote_ident(text) RETURNS text LANGUAGE sql AS 'SELECT pg_catalog.quote_ident($1) WHERE evil.rise()';
      CREATE FUNCTION evil.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS 'SELECT ''SELECT evil.rise()''';
      CREATE DOMAIN evil.regclass AS pg_catalog.text CHECK (evil.rise());
      CREATE TABLE evil.mine (n int DEFAULT 1 CHECK (evil.rise()));
      CREATE VIEW evil.pg_class AS SELECT c.* FROM pg_catalog.pg_class c WHERE evil.rise();
      CREATE VIEW evil.pg_database AS SELECT d.* FROM pg_catalog.pg_database d WHERE evil.rise();
      CREATE VIEW evil.pg_stat_activity AS SELECT s.* FROM pg_catalog.pg_stat_activity s WHERE evil.rise();
      ALTER ROLE shop SET search_path = evil, pg_catalog; ALTER DATABASE shop SET search_path = evil, pg_catalog`;
    const { code, stderr } = await queryAs(perch, "shop", evil);
    expect(code, stderr).toBe(0);
    for (const words of ["users list -a pg", "db list -a pg", "config show -a pg", "users rotate shop -a pg"])
      await ok("postgres", ...words.split(" "));
    await ok("doctor", "-a", "shop");
    await ok("status");
    await ok("postgres", "detach", "pg", "--app", "shop");
    await ok("postgres", "db", "drop", "shop", "-a", "pg", "--yes");
    expect(await superusers()).toEqual(["perch", "postgres"]);
    expect(await world.sql(id, "SELECT FROM pg_database WHERE datname = 'shop'")).toEqual([]);
  });

  it("nor has a setting of the cluster anything to say to Perch's own sessions: restart, clone, attach and detach go on", async () => {
    const settings = [
      "statement_timeout=1s",
      "idle_session_timeout=1s",
      "lock_timeout=1s",
      "idle_in_transaction_session_timeout=1s",
    ];
    await ok(
      "postgres",
      "config",
      "update",
      "-a",
      "pg",
      ...settings,
      "default_transaction_read_only=on",
      "search_path=nowhere",
    );
    await ok("postgres", "restart", "-a", "pg");
    await ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
    await eventually("the replica streams", async () => (await world.replica()).state === "streaming");
    await ok("apps", "create", "third");
    await ok("postgres", "attach", "pg", "--app", "third");
    await ok("postgres", "detach", "pg", "--app", "third");
    const { id } = await world.replica();
    await ok("postgres", "failover", "-a", "pg", "--allow-secondary-region");
    expect((await world.leader()).id).toBe(id);
  });
});
