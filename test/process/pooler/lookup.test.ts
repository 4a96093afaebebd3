import { describe, expect, it } from "vitest";
import { admit, dismiss, makePoolUser, unadmitted } from "../../../src/pooler/lookup.ts";
import { createDatabase, dropDatabase, listDatabases } from "../../../src/postgres/databases.ts";
import { createUser, listUsers } from "../../../src/postgres/roles.ts";
import { asApp, asPerch, installed, newLeader } from "../../support/ground.ts";

/** What a pooler may ask, in real databases: it is the door to every role's verifier. */
describe.each(await installed())("the lookup of a pooler in PostgreSQL $major ($source)", async (binaries) => {
  const leader = await newLeader(binaries, "lookup");
  const session = await asPerch(leader);
  const open = (database: string) => asPerch(leader, database);
  const login = { user: "perch_pooler", password: "pool's secret" };
  const lookup = async (database: string, role: string): Promise<string[]> => {
    const asked = await asApp(leader, { ...login, database });
    const rows = await asked.query<{ verifier: string }>("SELECT verifier FROM perch_pool.lookup($1)", [role]).finally(() => asked.close());
    return rows.map(({ verifier }) => verifier);
  };
  const admitIn = async (name: string): Promise<string> => {
    const there = await open(name);
    return admit(there, name).finally(() => there.close());
  };
  await makePoolUser(session, login.password);
  await createUser(session, { name: "web", password: "web's secret" });
  await createUser(session, { name: "evil", password: "evil's secret" });
  for (const owner of ["web", "evil"]) await createDatabase(session, { name: owner, owner });

  it("gives a role's verifier to the pooler alone, and none of Perch's own", async () => {
    await admitIn("web");
    expect(await lookup("web", "web")).toEqual([expect.stringMatching(/^SCRAM-SHA-256\$4096:/)]);
    for (const role of ["perch", "replicator", "perch_pooler", "nobody", "pg_monitor"]) expect(await lookup("web", role), role).toEqual([]);
    const app = await asApp(leader, { user: "web", password: "web's secret", database: "web" });
    await expect(app.query("SELECT perch_pool.lookup('postgres')")).rejects.toThrow(/permission denied/);
    await app.close();
  });

  it("knows no password that is out of date", async () => {
    await session.query("ALTER ROLE web VALID UNTIL 'yesterday'");
    expect(await lookup("web", "web")).toEqual([]);
    await session.query("ALTER ROLE web VALID UNTIL 'infinity'");
    expect(await lookup("web", "web")).toHaveLength(1);
  });

  it("is not asked of a function that a database's owner had put there before, under any name it could be called by", async () => {
    const evil = await asApp(leader, { user: "evil", password: "evil's secret", database: "evil" });
    for (const type of ["text", "varchar"])
      await evil.query(`CREATE SCHEMA IF NOT EXISTS perch_pool;
        CREATE FUNCTION perch_pool.lookup(wanted ${type}) RETURNS TABLE (name text, verifier text) LANGUAGE sql AS $$ SELECT 'postgres', 'forged' $$;
        GRANT USAGE ON SCHEMA perch_pool TO PUBLIC`);
    await admitIn("evil");
    expect(await lookup("evil", "web")).toEqual([expect.stringMatching(/^SCRAM-SHA-256/)]);
    await expect(evil.query("CREATE FUNCTION perch_pool.lookup(varchar) RETURNS int LANGUAGE sql AS 'SELECT 1'")).rejects.toThrow(
      /permission denied/,
    );
    await expect(evil.query("DROP SCHEMA perch_pool CASCADE")).rejects.toThrow(/must be owner/);
    await evil.close();
    await admitIn("evil"); // twice is the same as once
    expect(await lookup("evil", "web")).toHaveLength(1);
  });

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
    await dismiss(open);
    await dismiss(open);
    expect(await session.query("SELECT FROM pg_roles WHERE rolname = 'perch_pooler'")).toEqual([]);
    for (const name of ["web", "evil", "again", "template1"]) {
      const there = await open(name);
      expect(await there.query("SELECT FROM pg_namespace WHERE nspname = 'perch_pool'").finally(() => there.close()), name).toEqual([]);
    }
    await session.close();
  });
});
