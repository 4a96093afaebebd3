import pg from "pg";
import { describe, expect, it } from "vitest";
import { admit, dismiss, makePoolUser } from "../../../../src/pgbouncer/lookup.ts";
import { createDatabase } from "../../../../src/postgres/sql/databases.ts";
import { shareDatabase } from "../../../../src/postgres/sql/ownership.ts";
import { retireUsers } from "../../../../src/postgres/sql/reassign.ts";
import { createUser } from "../../../../src/postgres/sql/roles.ts";
import { reload } from "../../../../src/postgres/instance/server.ts";
import { personOptions } from "../../../../src/postgres/sql/session-options.ts";
import { survey } from "../../../../src/postgres/sql/probe.ts";
import { asApp, asPerch, installed, newLeader, passwords, settle } from "../../../support/ground.ts";

/** An app's role in its own database, with all that its owner may lay there for a superuser's session to meet. */
describe.each(await installed())("the owner of a database of PostgreSQL $major ($source)", async (binaries) => {
  const leader = await newLeader(binaries, "pins");
  const session = await asPerch(leader);
  const open = (database: string) => asPerch(leader, database);
  let counted = 0;

  /** A new app with a database, in which everything below `evil` makes its caller's rights its own. */
  async function attacker(traps: string): Promise<string> {
    const name = `app${++counted}`;
    await createUser(session, { name, password: `secret of ${name}` });
    await createDatabase(session, { name, owner: name });
    const app = await asApp(leader, { user: name, password: `secret of ${name}`, database: name });
    await app.query(`CREATE SCHEMA evil; GRANT USAGE ON SCHEMA evil TO PUBLIC;
      CREATE FUNCTION evil.rise() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN ALTER ROLE ${name} SUPERUSER; RETURN true; EXCEPTION WHEN OTHERS THEN RETURN true; END $$;
      ${traps.replaceAll(/\bthis\b/g, name)}`);
    await app.close();
    return name;
  }

  /** Every piece of work that Perch does inside an app's database as a superuser. */
  async function allThatPerchDoes(name: string): Promise<void> {
    await makePoolUser(session, "pool's secret");
    const there = await open(name);
    await survey(there);
    await admit(there, name).finally(() => there.close());
    // PgBouncer's own session has no more rights than that: what hinders it hinders the owner's app alone.
    await asApp(leader, { user: "perch_pooler", password: "pool's secret", database: name })
      .then((lookup) =>
        lookup.query("SELECT name, verifier FROM perch_pool.lookup($1)", [name]).then(() => lookup.close()),
      )
      .catch(() => undefined);
    await createUser(session, { name: `${name}_too`, password: "a second one" });
    await shareDatabase(open, { name, user: `${name}_too` });
    await retireUsers(open, [`${name}_too`]);
    await dismiss(open);
    await retireUsers(open, [name]);
    await createUser(session, { name, password: `secret of ${name}` });
    await shareDatabase(open, { name, user: name });
  }

  const superusers = async (): Promise<string[]> =>
    (await session.query<{ name: string }>("SELECT rolname::text AS name FROM pg_roles WHERE rolsuper ORDER BY 1")).map(
      ({ name }) => name,
    );

  const traps: Record<string, string> = {
    "a view in place of a catalog": `
      CREATE VIEW evil.pg_namespace AS SELECT n.* FROM pg_catalog.pg_namespace n, evil.rise();
      CREATE VIEW evil.pg_roles AS SELECT r.* FROM pg_catalog.pg_roles r, evil.rise();
      CREATE VIEW evil.pg_database AS SELECT d.* FROM pg_catalog.pg_database d, evil.rise();
      ALTER DATABASE this SET search_path = evil, pg_catalog`,
    "an operator that fits better than PostgreSQL's own": `
      CREATE FUNCTION evil.same(name, text) RETURNS bool LANGUAGE sql AS 'SELECT evil.rise() AND $1::text OPERATOR(pg_catalog.=) $2';
      CREATE FUNCTION evil.same(name, name) RETURNS bool LANGUAGE sql AS 'SELECT evil.rise() AND $1::text OPERATOR(pg_catalog.=) $2::text';
      CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = text, FUNCTION = evil.same);
      CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.same);
      ALTER DATABASE this SET search_path = evil, pg_catalog`,
    "a function of the name of one that Perch calls": `
      CREATE FUNCTION evil.current_database() RETURNS name LANGUAGE sql AS 'SELECT pg_catalog.current_database() FROM evil.rise()';
      CREATE FUNCTION evil.format(text, VARIADIC name[]) RETURNS text LANGUAGE sql AS 'SELECT ''SELECT 1'' FROM evil.rise()';
      CREATE FUNCTION evil.pg_is_in_recovery() RETURNS bool LANGUAGE sql AS 'SELECT false FROM evil.rise()';
      CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT pg_catalog.current_setting($1) FROM evil.rise()';
      ALTER DATABASE this SET search_path = evil, pg_catalog`,
    "a type and a cast of the name of one that Perch uses": `
      CREATE DOMAIN evil.text AS pg_catalog.text CHECK (evil.rise());
      CREATE DOMAIN evil.name AS pg_catalog.name CHECK (evil.rise());
      CREATE TYPE evil.regclass AS (n int);
      ALTER DATABASE this SET search_path = evil, pg_catalog`,
    "settings that would make the session another's": `
      ALTER DATABASE this SET role = this; ALTER DATABASE this SET session_authorization = this`,
    "settings that end or hinder it": `
      ALTER DATABASE this SET statement_timeout = '1ms'; ALTER DATABASE this SET lock_timeout = '1ms';
      ALTER DATABASE this SET idle_session_timeout = '1ms'; ALTER DATABASE this SET idle_in_transaction_session_timeout = '1ms';
      ALTER DATABASE this SET default_transaction_read_only = on; ALTER DATABASE this SET default_transaction_isolation = 'serializable';
      ALTER DATABASE this SET standard_conforming_strings = off; ALTER DATABASE this SET transform_null_equals = on`,
    "a library for each of its sessions": "ALTER DATABASE this SET local_preload_libraries = 'nothing_of_this_name'",
    "code in what changes its owner": `
      CREATE TABLE t (n int CHECK (evil.rise()), m bool DEFAULT evil.rise());
      CREATE FUNCTION evil.fixed(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.rise(); RETURN true; END $$;
      INSERT INTO t VALUES (1); CREATE INDEX ON t (evil.fixed(n)); CREATE VIEW v AS SELECT evil.rise();
      CREATE MATERIALIZED VIEW w AS SELECT evil.rise(); CREATE DOMAIN d AS int CHECK (evil.rise());
      CREATE FUNCTION evil.fires() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.rise(); RETURN NULL; END $$;
      CREATE TRIGGER fires AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON t EXECUTE FUNCTION evil.fires();
      ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (evil.rise())`,
  };

  it.each(Object.keys(traps))("does not become a superuser by %s", async (trap) => {
    const name = await attacker(traps[trap] ?? "");
    const before = await superusers();
    await allThatPerchDoes(name);
    expect(await superusers()).toEqual(before);
  });

  it("has nothing to say to Perch by ALTER ROLE, nor by temporary objects of a session", async () => {
    const name = await attacker("");
    await session.query(
      `ALTER ROLE perch SET search_path = evil, pg_catalog; ALTER ROLE perch IN DATABASE ${name} SET role = ${name}`,
    );
    const there = await open(name);
    expect(await there.query("SELECT current_user::text AS user, current_setting('search_path') AS path")).toEqual([
      { user: "perch", path: "pg_catalog,pg_temp" },
    ]);
    await there.query("CREATE TEMPORARY TABLE pg_namespace (nspname name)");
    expect((await there.query<{ n: number }>("SELECT count(*)::int AS n FROM pg_namespace"))[0]?.n).toBeGreaterThan(2);
    await there.close();
    await session.query(`ALTER ROLE perch RESET ALL; ALTER ROLE perch IN DATABASE ${name} RESET ALL`);
  });

  it("does not have an operator's event trigger call a function of its own in a session of Perch", async () => {
    const name = await attacker(
      "CREATE FUNCTION evil.heard() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.rise(); RAISE 'heard'; END $$",
    );
    const operator = await asApp(leader, { user: "postgres", password: passwords.operator, database: name });
    await operator.query("CREATE EVENT TRIGGER hears ON ddl_command_start EXECUTE FUNCTION evil.heard()");
    await operator.close();
    const before = await superusers();
    await allThatPerchDoes(name);
    expect(await superusers()).toEqual(before);
  });

  it("does not choose what an operator's psql from perch postgres connect means by a name", async () => {
    const name = await attacker(
      "CREATE VIEW evil.pg_class AS SELECT evil.rise() AS relname; ALTER DATABASE this SET search_path = evil, pg_catalog",
    );
    const at = {
      host: leader.layout.sockets,
      port: leader.port,
      user: "postgres",
      password: passwords.operator,
      database: name,
    };
    const client = new pg.Client({ ...at, options: personOptions() });
    await client.connect();
    const before = await superusers();
    await client.query("SELECT relname FROM pg_class");
    await client.end();
    expect(await superusers()).toEqual(before);
  });

  it("is in no session's way, nor is the server's own configuration, with timeouts, read-only transactions and formats", async () => {
    const hindrances = {
      statement_timeout: "50",
      lock_timeout: "50",
      idle_session_timeout: "50",
      idle_in_transaction_session_timeout: "50",
      default_transaction_read_only: "on",
      default_transaction_isolation: "serializable",
      search_path: "nowhere",
      datestyle: "SQL, DMY",
      default_tablespace: "nowhere",
      default_table_access_method: "heap",
      ...(binaries.major >= 17 ? { transaction_timeout: "50" } : {}),
    };
    await settle(leader, undefined, hindrances);
    await reload(leader);
    const there = await asPerch(leader);
    await there.query("SELECT pg_sleep(0.2)");
    await there.query("BEGIN");
    await new Promise((resolve) => setTimeout(resolve, 100));
    await there.query("CREATE ROLE brief; DROP ROLE brief; COMMIT");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await survey(there)).toMatchObject({ recovering: false });
    await there.close();
    await settle(leader);
    await reload(leader);
    await session.close();
  });
});
