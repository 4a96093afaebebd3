import { describe, expect, it } from "vitest";
import { createDatabase, dropDatabase, hasDatabase } from "../../../../src/postgres/sql/databases.ts";
import { shareDatabase } from "../../../../src/postgres/sql/ownership.ts";
import { retireUsers } from "../../../../src/postgres/sql/reassign.ts";
import { createUser, hasUser } from "../../../../src/postgres/sql/roles.ts";
import { start, stop } from "../../../../src/postgres/instance/server.ts";
import type { Session } from "../../../../src/postgres/sql/session.ts";
import { asApp, asPerch, installed, newLeader, passwords, settle } from "../../../support/ground.ts";

/** One of every kind that an app's role can make. */
const everything = `
  CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial, doc text); CREATE INDEX "Odd ☃" ON t (doc);
  CREATE TABLE parts (n int) PARTITION BY RANGE (n); CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9);
  CREATE VIEW v AS SELECT 1 AS one; CREATE MATERIALIZED VIEW m AS SELECT 1 AS one; CREATE SEQUENCE s;
  CREATE SCHEMA "we""ird"; CREATE TYPE "we""ird".pair AS (a int, b text); CREATE TYPE mood AS ENUM ('ok'); CREATE DOMAIN small AS int CHECK (VALUE < 9);
  CREATE TYPE spans AS RANGE (subtype = float8);
  CREATE FUNCTION f(a int, VARIADIC b text[]) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE p(INOUT a int) LANGUAGE sql AS 'SELECT 1';
  CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int);
  CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 OPERATOR(pg_catalog.=) $2';
  CREATE OPERATOR === (leftarg = int, rightarg = int, function = same);
  CREATE COLLATION german FROM "C"; CREATE CONVERSION conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
  CREATE TEXT SEARCH DICTIONARY dict (template = simple); CREATE TEXT SEARCH CONFIGURATION conf (copy = simple);
  CREATE STATISTICS stats ON id, doc FROM t; CREATE PUBLICATION pub FOR TABLE t; SELECT lo_create(0); CREATE EXTENSION IF NOT EXISTS hstore;
  CREATE SERVER elsewhere FOREIGN DATA WRAPPER wrap; CREATE FOREIGN TABLE far (n int) SERVER elsewhere;
  ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader; ALTER DEFAULT PRIVILEGES IN SCHEMA "we""ird" GRANT USAGE ON SEQUENCES TO PUBLIC;
  ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`;

/** PostgreSQL's own book of it. */
const owned = async (session: Session, role: string): Promise<string[]> =>
  (
    await session.query<{ what: string }>(
      `SELECT i.type || ' ' || i.identity AS what FROM pg_shdepend s, pg_identify_object(s.classid, s.objid, 0) i
        WHERE s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1) AND s.deptype = 'o' AND s.classid <> 'pg_default_acl'::regclass
          AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`,
      [role],
    )
  ).map(({ what }) => what);

const granted = (session: Session, role: string) =>
  session.query(
    `SELECT defaclobjtype AS type, defaclnamespace::regnamespace::text AS schema, defaclacl::text AS acl FROM pg_default_acl
      WHERE defaclrole = (SELECT oid FROM pg_roles WHERE rolname = $1) ORDER BY 1, 2`,
    [role],
  );

describe.each(await installed())("a role of PostgreSQL $major ($source) that goes", async (binaries) => {
  const leader = await newLeader(binaries, "retire");
  // Few locks, so that what has many tables need not have ten thousand.
  await settle(leader, undefined, { max_locks_per_transaction: "10" });
  await stop(leader, "fast");
  await start(leader);
  const open = (database: string) => asPerch(leader, database);
  const as = (name: string, database = name) => asApp(leader, { user: name, password: `secret-${name}`, database });
  const session = await open("postgres");
  const make = async (name: string, superuser = false) => {
    await createUser(session, { name, password: `secret-${name}`, superuser });
    await createDatabase(session, { name, owner: name });
    return open(name);
  };
  const again = async (name: string, superuser = false) => {
    await createUser(session, { name, password: `secret-${name}`, superuser });
    await shareDatabase(open, { name, user: name });
  };
  const rejected = (promise: Promise<unknown>) =>
    promise.then(
      () => expect.unreachable("it should have failed"),
      (error: unknown) => error as { code: string; message: string; next: string },
    );

  it("leaves everything of every kind to the one that comes after it, with what new objects are granted to others", async () => {
    await session.query("CREATE ROLE reader");
    const there = await make("web");
    await there.query("CREATE FOREIGN DATA WRAPPER wrap; GRANT USAGE ON FOREIGN DATA WRAPPER wrap TO web");
    const app = await as("web");
    const hstore = await there.query("SELECT FROM pg_available_extensions WHERE name = 'hstore'");
    await app.query(hstore.length > 0 ? everything : everything.replace("CREATE EXTENSION IF NOT EXISTS hstore;", ""));
    const before = [await owned(there, "web"), await granted(there, "web")];
    expect(before[0]?.length).toBeGreaterThan(25);
    await retireUsers(open, ["web"]);
    expect(await hasUser(session, "web")).toBe(false);
    expect(
      (
        await session.query<{ super: boolean; login: boolean }>(
          "SELECT rolsuper AS super, rolcanlogin AS login FROM pg_roles WHERE rolname = 'perch_keeper'",
        )
      )[0],
    ).toEqual({ super: false, login: false });
    await again("web");
    expect([await owned(there, "web"), await granted(there, "web")]).toEqual(before);
    expect(await owned(there, "perch_keeper")).toEqual([]);
    await there.close();
  });

  it("leaves what the next one may not own to the operator: an event trigger, a wrapper", async () => {
    const there = await make("admin", true);
    const app = await as("admin");
    await app.query(`CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER noted ON sql_drop EXECUTE FUNCTION note();
      CREATE FOREIGN DATA WRAPPER w; CREATE PUBLICATION whole FOR ALL TABLES; CREATE TABLE plain (n int)`);
    await retireUsers(open, ["admin"]);
    await again("admin");
    expect(await owned(there, "admin")).toEqual(["function public.note()", "publication whole", "table public.plain"]);
    expect(
      await there.query(
        "SELECT evtowner::regrole::text AS a, (SELECT fdwowner::regrole::text FROM pg_foreign_data_wrapper) AS b FROM pg_event_trigger",
      ),
    ).toEqual([{ a: "postgres", b: "postgres" }]);
    await there.close();
  });

  it("leaves no code of its own behind that runs as a superuser", async () => {
    const there = await make("sly");
    const app = await as("sly");
    await app.query(`CREATE FUNCTION up() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT current_user::text';
      CREATE VIEW who AS SELECT current_user; GRANT USAGE ON SCHEMA public TO PUBLIC`);
    await retireUsers(open, ["sly"]);
    expect(await there.query("SELECT public.up() AS who")).toEqual([{ who: "perch_keeper" }]);
    await there.close();
  });

  it("goes with more tables than one transaction may lock", async () => {
    const there = await make("many");
    for (let from = 0; from < 4_000; from += 500)
      await there.query(
        `SET ROLE many; DO $$ BEGIN FOR n IN ${from}..${from + 499} LOOP EXECUTE pg_catalog.format('CREATE TABLE public.t%s (n int, s text)', n); END LOOP; END $$; RESET ROLE`,
        [],
        120_000,
      );
    await retireUsers(open, ["many"]);
    expect((await owned(there, "perch_keeper")).length).toBe(4_000);
    await again("many");
    expect((await owned(there, "many")).length).toBe(4_000);
    await there.close();
  }, 300_000);

  it.each([
    ["a lock", "LOCK TABLE a IN ACCESS SHARE MODE", /session \d+ of role postgres, idle in transaction/],
    ["a lock on an index alone, of what comes last", "SELECT n FROM z WHERE n = 1", /session \d+ of role postgres/],
    ["a prepared transaction", "INSERT INTO a VALUES (1); PREPARE TRANSACTION 'half'", /the prepared transaction half/],
  ])("stays as it was, with all it owns, while somebody else holds %s, and says who", async (_what, held, said) => {
    const name = `held${Math.random().toString(36).slice(2)}`;
    if (
      held.includes("PREPARE") &&
      (await session.query<{ n: string }>("SHOW max_prepared_transactions"))[0]?.[
        "max_prepared_transactions" as "n"
      ] === "0"
    )
      return;
    const there = await make(name);
    await there.query(
      `SET ROLE "${name}"; CREATE TABLE public.a (n int); CREATE TABLE public.b (n int); CREATE TABLE public.z (n int PRIMARY KEY); RESET ROLE`,
    );
    const before = await owned(there, name);
    const other = await asApp(leader, { user: "postgres", password: passwords.operator, database: name });
    await other.query("SET search_path = public");
    await other.query("BEGIN");
    await other.query(held);
    const error = await rejected(retireUsers(open, [name]));
    expect(error).toMatchObject({ code: "held", message: expect.stringMatching(said) as string });
    expect(await owned(there, name)).toEqual(before);
    await (await as(name)).close();
    await other.query("ROLLBACK");
    await retireUsers(open, [name]);
    await other.close();
    await there.close();
  });

  it("keeps its database while a slot is active in it, and the error names both", async () => {
    const there = await make("slotted");
    if ((await there.query<{ wal_level: string }>("SHOW wal_level"))[0]?.wal_level !== "logical") return there.close();
    await there.query("SELECT pg_catalog.pg_create_logical_replication_slot('idle', 'pgoutput')");
    await there.close();
    await dropDatabase(session, "slotted");
    expect(await hasDatabase(session, "slotted")).toBe(false);
  });
});
