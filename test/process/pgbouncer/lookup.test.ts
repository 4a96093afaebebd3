import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { admit, dismiss, makePoolUser, sweep, unadmitted } from "../../../src/pgbouncer/lookup.ts";
import { createDatabase, dropDatabase, listDatabases } from "../../../src/postgres/sql/databases.ts";
import { createUser, listUsers } from "../../../src/postgres/sql/roles.ts";
import { asApp, asPerch, installed, newLeader } from "../../support/ground.ts";
import { runToEnd, succeeded } from "../../support/perch.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

/** What a pooler may ask, in real databases: it is the door to every role's verifier. */
describe.each(await installed())("the lookup of a pooler in PostgreSQL $major ($source)", async (binaries) => {
  const leader = await newLeader(binaries, "lookup");
  const session = await asPerch(leader);
  const open = (database: string) => asPerch(leader, database);
  const login = { user: "perch_pooler", password: "pool's secret" };
  const lookup = async (database: string, role: string): Promise<string[]> => {
    const asked = await asApp(leader, { ...login, database });
    const rows = await asked
      .query<{ verifier: string }>("SELECT verifier FROM pg_catalog.perch_pool_lookup($1)", [role])
      .finally(() => asked.close());
    return rows.map(({ verifier }) => verifier);
  };
  const admitIn = async (name: string): Promise<string> => {
    const there = await open(name);
    return (await admit(there, name).finally(() => there.close())).number;
  };
  await makePoolUser(session, login.password);
  await createUser(session, { name: "web", password: "web's secret" });
  await createUser(session, { name: "evil", password: "evil's secret" });
  for (const owner of ["web", "evil"]) await createDatabase(session, { name: owner, owner });

  it("gives a role's verifier to the pooler alone, and none of Perch's own", async () => {
    await admitIn("web");
    expect(await lookup("web", "web")).toEqual([expect.stringMatching(/^SCRAM-SHA-256\$4096:/)]);
    for (const role of ["perch", "replicator", "perch_pooler", "nobody", "pg_monitor"])
      expect(await lookup("web", role), role).toEqual([]);
    const app = await asApp(leader, { user: "web", password: "web's secret", database: "web" });
    expect(await app.query("SELECT pg_catalog.perch_pool_lookup('postgres')")).toEqual([]);
    await app.query(
      "CREATE FUNCTION asks() RETURNS SETOF record SECURITY DEFINER LANGUAGE sql AS $$ SELECT pg_catalog.perch_pool_lookup('postgres') $$",
    );
    expect(await app.query("SELECT asks()")).toEqual([]);
    await app.query("DROP FUNCTION asks()");
    await app.close();
  });

  it("knows no password that is out of date", async () => {
    await session.query("ALTER ROLE web VALID UNTIL 'yesterday'");
    expect(await lookup("web", "web")).toEqual([]);
    await session.query("ALTER ROLE web VALID UNTIL 'infinity'");
    expect(await lookup("web", "web")).toHaveLength(1);
  });

  it("is not led astray by what a database's owner put in its way: a schema of the former name, and a path of schemas with names, casts and operators", async () => {
    const evil = await asApp(leader, { user: "evil", password: "evil's secret", database: "evil" });
    await evil.query(`CREATE SCHEMA perch_pool; CREATE SCHEMA trap; GRANT USAGE ON SCHEMA perch_pool, trap TO PUBLIC;
      CREATE FUNCTION perch_pool.lookup(wanted text) RETURNS TABLE (name text, verifier text) LANGUAGE sql AS $$ SELECT 'postgres', 'forged' $$;
      CREATE FUNCTION trap.spring() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'ALTER ROLE evil SUPERUSER'; RETURN true; END $$;
      CREATE VIEW trap.pg_authid AS SELECT 'forged'::name AS rolname, trap.spring()::text AS rolpassword, true AS rolcanlogin, null::timestamptz AS rolvaliduntil;
      CREATE VIEW trap.pg_namespace AS SELECT 1::oid AS oid, 'perch_pool'::name AS nspname, 1::oid AS nspowner WHERE trap.spring();
      CREATE VIEW trap.pg_proc AS SELECT 1::oid AS oid WHERE trap.spring();
      CREATE VIEW trap.pg_database AS SELECT 1::oid AS oid, current_database() AS datname WHERE trap.spring();
      CREATE FUNCTION trap.eq(name, text) RETURNS bool LANGUAGE sql AS 'SELECT trap.spring()';
      CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = text, FUNCTION = trap.eq);
      CREATE FUNCTION trap.perch_pool_lookup(wanted text) RETURNS TABLE (name text, verifier text) LANGUAGE sql AS $$ SELECT 'postgres', 'forged' $$;
      ALTER DATABASE evil SET search_path = trap, pg_catalog, perch_pool`);
    await admitIn("evil");
    expect(await lookup("evil", "web")).toEqual([expect.stringMatching(/^SCRAM-SHA-256/)]);
    await expect(
      evil.query("CREATE FUNCTION pg_catalog.perch_pool_lookup(varchar) RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    ).rejects.toThrow(/permission denied/);
    await expect(evil.query("DROP FUNCTION pg_catalog.perch_pool_lookup(text)")).rejects.toThrow(/must be owner/);
    await admitIn("evil"); // twice is the same as once
    const there = await open("evil");
    await sweep(there).finally(() => there.close());
    expect(await lookup("evil", "web")).toHaveLength(1);
    expect(await evil.query("SELECT verifier FROM perch_pool.lookup('web')")).toEqual([{ verifier: "forged" }]); // his own, and nobody asks it
    expect(await session.query("SELECT rolsuper FROM pg_roles WHERE rolname = 'evil'")).toEqual([{ rolsuper: false }]);
    await evil.close();
  });

  it("takes the place of what an older Perch left, which goes when no pooler asks it any more", async () => {
    const there = await open("web");
    await there.query(`CREATE SCHEMA perch_pool; REVOKE ALL ON SCHEMA perch_pool FROM PUBLIC; GRANT USAGE ON SCHEMA perch_pool TO perch_pooler;
      CREATE FUNCTION perch_pool.lookup(wanted text) RETURNS TABLE (name text, verifier text) LANGUAGE sql SECURITY DEFINER AS $$ SELECT 'web', 'x' $$;
      COMMENT ON SCHEMA perch_pool IS 'PgBouncer looks roles up here; see: perch postgres pool'`);
    expect(await admit(there, "web")).toMatchObject({ older: true });
    await sweep(there);
    expect(await admit(there, "web")).toMatchObject({ older: false });
    expect(
      await there.query("SELECT FROM pg_namespace WHERE nspname = 'perch_pool'").finally(() => there.close()),
    ).toEqual([]);
    expect(await lookup("web", "web")).toHaveLength(1);
  });

  const program = join(binaries.directory, "pg_dump");
  // The binaries of npm have none.
  it.skipIf(!existsSync(program))(
    "is in no dump of a database, which restores as the app's role into a PostgreSQL without Perch",
    async () => {
      const as = (member: typeof leader) => ["-h", member.layout.sockets, "-p", String(member.port), "-U", "web"];
      const env = { PGPASSWORD: "web's secret" };
      const run = async (name: string, ...more: string[]) =>
        succeeded(await runToEnd([join(binaries.directory, name), ...more], { env }));
      const dumped = (...more: string[]) => run("pg_dump", ...as(leader), ...more, "web");
      expect(await dumped()).not.toMatch(/perch|pool/i);
      expect(await dumped("--create", "--no-acl")).not.toMatch(/perch|pool/i);
      const app = await asApp(leader, { user: "web", password: "web's secret", database: "web" });
      await app.query("CREATE TABLE kept AS SELECT 1 AS one").finally(() => app.close());
      const plain = await newLeader(binaries, "plain");
      const there = await asPerch(plain);
      await createUser(there, { name: "web", password: "web's secret" });
      for (const [name, ...restore] of [
        ["custom", "pg_restore", "--exit-on-error"],
        ["plain", "psql", "-qv", "ON_ERROR_STOP=1", "-f"],
      ] as const) {
        await createDatabase(there, { name, owner: "web" });
        const file = join(temporaryDirectory(), name);
        await dumped("-F", name, "-f", file);
        const [restorer, ...how] = restore;
        await run(restorer, ...as(plain), "-d", name, ...how, file);
        const restored = await asPerch(plain, name);
        expect(await restored.query("SELECT one FROM public.kept").finally(() => restored.close()), name).toEqual([
          { one: 1 },
        ]);
      }
      await there.close();
    },
  );

  it("is in a new database from its first moment, and in one that was dropped and made anew under its name", async () => {
    await admitIn("template1");
    await createDatabase(session, { name: "again", owner: "web" });
    expect(await lookup("again", "web")).toHaveLength(1);
    const number = await admitIn("again");
    expect(await unadmitted(session, new Set([number]))).not.toContain("again");
    await dropDatabase(session, "again");
    await createDatabase(session, { name: "again", owner: "web" });
    expect(await unadmitted(session, new Set([number]))).toContain("again");
    expect(await lookup("again", "web")).toHaveLength(1);
  });

  it("shows in no list of users, and goes without a trace", async () => {
    expect((await listUsers(session)).map(({ name }) => name)).not.toContain("perch_pooler");
    expect((await listDatabases(session)).flatMap(({ users }) => users)).not.toContain("perch_pooler");
    const app = await asApp(leader, { user: "web", password: "web's secret", database: "again" });
    await app.query("CREATE VIEW asks AS SELECT * FROM pg_catalog.perch_pool_lookup('postgres')");
    await dismiss(open);
    await dismiss(open);
    expect(await app.query("SELECT * FROM asks")).toEqual([]); // his view is his, and reads nothing
    await app.close();
    expect(await session.query("SELECT FROM pg_roles WHERE rolname = 'perch_pooler'")).toEqual([]);
    for (const name of ["web", "evil", "template1"]) {
      const there = await open(name);
      expect(
        await there
          .query("SELECT FROM pg_catalog.pg_proc WHERE oid = to_regprocedure('pg_catalog.perch_pool_lookup(text)')")
          .finally(() => there.close()),
        name,
      ).toEqual([]);
    }
    await session.close();
  });
});
