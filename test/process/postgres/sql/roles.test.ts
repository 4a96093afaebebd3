import pg from "pg";
import { describe, expect, it } from "vitest";
import { ask } from "../../../../src/base/deadline.ts";
import {
  createDatabase,
  dropDatabase,
  giveDatabase,
  hasDatabase,
  listDatabases,
} from "../../../../src/postgres/sql/databases.ts";
import type { Member } from "../../../../src/postgres/instance/directory.ts";
import { lastLogLines } from "../../../../src/postgres/instance/logs.ts";
import { retireUsers } from "../../../../src/postgres/sql/reassign.ts";
import { createUser, dropUser, hasUser, listUsers, setPassword } from "../../../../src/postgres/sql/roles.ts";
import { withSession } from "../../../../src/postgres/sql/session.ts";
import { asApp, asPerch, authority, installed, newLeader, passwords } from "../../../support/ground.ts";

const login = { user: "perch", password: passwords.superuser };
const code = (wanted: string) => ({ code: wanted });

/** As an app does it: over TCP and TLS, the certificate and the name in it verified. */
async function overTls(
  member: Member,
  at: { user: string; password: string; database?: string; host?: string },
): Promise<string> {
  const client = new pg.Client({
    host: at.host ?? "localhost",
    port: member.port,
    database: "postgres",
    ...at,
    ssl: { ca: authority.certificate },
  });
  client.on("error", () => undefined);
  await client.connect();
  const { rows } = await client.query<{ version: string }>(
    "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
  );
  await client.end();
  return rows[0]?.version ?? "";
}

describe.each(await installed())("users and databases of PostgreSQL $major ($source)", async (binaries) => {
  const leader = await newLeader(binaries, "roles");
  const work = <T>(what: Parameters<typeof withSession<T>>[2]) => withSession(leader, login, what);

  it("are made under the oddest names, and an app's role owns its database and nothing else", async () => {
    for (const name of ["web", "we\"ird 'name'", "Größe ☃", "a".repeat(63), "-- drop", "é".repeat(31), "select"]) {
      await work((session) => createUser(session, { name, password: `secret of ${name}` }));
      await work((session) => createDatabase(session, { name, owner: name }));
      expect((await work(listUsers)).find((user) => user.name === name)).toEqual({
        name,
        superuser: false,
        databases: [name, "postgres"].toSorted(),
        worksAs: null,
        until: null,
      });
      expect((await work(listDatabases)).find((database) => database.name === name)).toMatchObject({
        owner: name,
        users: [name],
      });

      const session = await asApp(leader, { user: name, password: `secret of ${name}`, database: name });
      await session.query("CREATE TABLE mine (n int); CREATE SCHEMA other");
      await session.close();
      await work((own) => dropDatabase(own, name));
      await work((own) => dropUser(own, name));
      expect(await work(async (own) => [await hasUser(own, name), await hasDatabase(own, name)])).toEqual([
        false,
        false,
      ]);
    }
  });

  it("are shut to other apps, and to Perch's own roles over the network", async () => {
    for (const name of ["one", "two"]) {
      await work((session) => createUser(session, { name, password: `secret-${name}` }));
      await work((session) => createDatabase(session, { name, owner: name }));
    }
    await expect(overTls(leader, { user: "one", password: "secret-one", database: "two" })).rejects.toMatchObject(
      code("42501"),
    );
    await expect(overTls(leader, { user: "one", password: "secret-one", database: "template1" })).rejects.toMatchObject(
      code("42501"),
    );
    expect(await overTls(leader, { user: "one", password: "secret-one", database: "one" })).toMatch(/^TLSv1\.[23]$/);
    await expect(overTls(leader, { ...login })).rejects.toMatchObject(code("28000"));
    await expect(overTls(leader, { user: "replicator", password: passwords.replication })).rejects.toMatchObject(
      code("28000"),
    );
    await expect(asApp(leader, { user: "replicator", password: passwords.replication })).rejects.toMatchObject(
      code("28000"),
    );
    await expect(
      overTls(leader, { user: "postgres", password: passwords.operator, host: "127.0.0.1" }),
    ).resolves.toMatch(/^TLS/);
  });

  it("refuse what is taken, unknown, in use or PostgreSQL's own, and change nothing", async () => {
    const before = await work(async (session) => [
      await listUsers(session),
      (await listDatabases(session)).map(({ name }) => name),
    ]);
    const refusals: [() => Promise<unknown>, string][] = [
      [() => work((session) => createUser(session, { name: "one", password: "x" })), "user_exists"],
      [() => work((session) => createUser(session, { name: "perch", password: "x" })), "user_protected"],
      [() => work((session) => createUser(session, { name: "public", password: "x" })), "identifier_invalid"],
      [() => work((session) => createUser(session, { name: "", password: "x" })), "identifier_invalid"],
      [() => work((session) => createUser(session, { name: "pg_x", password: "x" })), "identifier_invalid"],
      [() => work((session) => dropUser(session, "nobody")), "user_not_found"],
      [() => work((session) => dropUser(session, "postgres")), "user_protected"],
      [() => work((session) => dropUser(session, "one")), "user_in_use"],
      [() => work((session) => setPassword(session, "nobody", "x")), "user_not_found"],
      [() => work((session) => createDatabase(session, { name: "two", owner: "one" })), "database_exists"],
      [() => work((session) => createDatabase(session, { name: "fresh", owner: "nobody" })), "user_not_found"],
      [() => work((session) => createDatabase(session, { name: "postgres", owner: "one" })), "database_protected"],
      [() => work((session) => dropDatabase(session, "nowhere")), "database_not_found"],
      [() => work((session) => dropDatabase(session, "template1")), "database_protected"],
      [() => work((session) => giveDatabase(session, { name: "nowhere", owner: "one" })), "database_not_found"],
    ];
    for (const [refused, wanted] of refusals) await expect(refused()).rejects.toMatchObject(code(wanted));
    expect(
      await work(async (session) => [await listUsers(session), (await listDatabases(session)).map(({ name }) => name)]),
    ).toEqual(before);
  });

  it("retire: what a user owned stays, in every database, and belongs to a role that may do nothing", async () => {
    await work((session) => createUser(session, { name: "leaver", password: "secret-leaver" }));
    await work((session) => createDatabase(session, { name: "kept", owner: "leaver" }));
    const open = await asApp(leader, { user: "leaver", password: "secret-leaver", database: "kept" });
    await open.query("CREATE TABLE mine AS SELECT 1 AS n");
    await retireUsers((database) => asPerch(leader, database), ["leaver"]);
    await open.ended;
    await retireUsers((database) => asPerch(leader, database), ["leaver"]);
    const there = await asPerch(leader, "kept");
    expect(await there.query("SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'mine'")).toEqual([
      { owner: "perch_keeper" },
    ]);
    await there.close();
    expect((await work(listDatabases)).find(({ name }) => name === "kept")).toMatchObject({
      owner: "postgres",
      users: [],
    });
  });

  it("log in with the oddest passwords, over the socket and over TLS", async () => {
    await work((session) => createUser(session, { name: "odd", password: "first" }));
    const odd = [
      'it\'s "quoted" \\ back',
      "@:/%#?&= +",
      "päßwörd",
      "ﬁne ① ℌ",
      "no\u00a0break\u00adsoft",
      "пароль密码",
      "🔑 key",
      "x".repeat(128),
      "SCRAM-SHA-256$4096:a$b:c",
    ];
    for (const password of odd) {
      await work((session) => setPassword(session, "odd", password));
      await (await asApp(leader, { user: "odd", password })).close();
      expect(await overTls(leader, { user: "odd", password })).toMatch(/^TLS/);
      await expect(asApp(leader, { user: "odd", password: `${password}.` })).rejects.toMatchObject(code("28P01"));
    }
  });

  it("keep passwords and verifiers out of the log, whatever fails", async () => {
    await work((session) => session.query("ALTER ROLE perch SET log_statement = 'all'"));
    await work((session) => createUser(session, { name: "quiet", password: "very-secret-1" }));
    await expect(
      work((session) => createUser(session, { name: "quiet", password: "very-secret-1" })),
    ).rejects.toMatchObject(code("user_exists"));
    await work((session) => setPassword(session, "quiet", "very-secret-2"));
    // What a user types in psql is his own; what Perch shows of it is not the password.
    await expect(work((session) => session.query("CREATE ROLE quiet PASSWORD 'very-secret-3'"))).rejects.toMatchObject(
      code("sql_failed"),
    );
    await work((session) => session.query("SELECT 'the mark'"));
    const written = async () => {
      const text = JSON.stringify(await lastLogLines(leader.layout.log, 500));
      return text.includes("the mark") ? text : undefined;
    };
    const shown = await ask(written, { everyMs: 10, withinMs: 5_000 });
    expect(shown).toContain("CREATE ROLE quiet");
    expect(shown).not.toMatch(/very-secret|SCRAM-SHA-256\$/);
    await work((session) => session.query("ALTER ROLE perch RESET log_statement"));
  });
});
