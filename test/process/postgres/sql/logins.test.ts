import { describe, expect, it } from "vitest";
import { createDatabase } from "../../../../src/postgres/sql/databases.ts";
import {
  endLogin,
  giveLogin,
  limitLogin,
  loginsInUse,
  loginStates,
  makeAlike,
  unlike,
} from "../../../../src/postgres/sql/logins.ts";
import { retireUsers } from "../../../../src/postgres/sql/reassign.ts";
import { createUser, dropUser, listUsers } from "../../../../src/postgres/sql/roles.ts";
import { asApp, asPerch, installed, newLeader } from "../../../support/ground.ts";

const code = (wanted: string) => ({ code: wanted });

/** Several logins of one role, in real servers: what one of them makes, may and is. */
describe.each(await installed())("logins of a role of PostgreSQL $major ($source)", async (binaries) => {
  const leader = await newLeader(binaries, "logins");
  const session = await asPerch(leader);
  const as = (user: string, password: string, database = "web") => asApp(leader, { user, password, database });
  const give = (login: string, password: string, user = "web") => giveLogin(session, { user, login, password });
  const ask = async <Row extends object>(
    login: Awaited<ReturnType<typeof asApp>>,
    sql: string,
  ): Promise<Row | undefined> => (await login.query<Row>(sql).finally(() => login.close()))[0];
  await createUser(session, { name: "web", password: "password-1" });
  await createDatabase(session, { name: "web", owner: "web" });

  it("work as the role from their first moment, and what they make is the role's, whatever a driver resets", async () => {
    await give("web.2", "password-2");
    const second = await as("web.2", "password-2");
    await second.query("CREATE TABLE of_second (n int)");
    // node-postgres sends each alone, as npgsql does when it gives a connection back.
    for (const reset of ["DISCARD ALL", "RESET ALL", "SET SESSION AUTHORIZATION DEFAULT", "RESET ROLE"]) {
      await second.query(reset);
      expect(await second.query("SELECT session_user, current_user"), reset).toEqual([
        { session_user: "web.2", current_user: "web" },
      ]);
    }
    await second.query("CREATE SCHEMA of_second");
    await second.close();
    const first = await as("web", "password-1");
    await first.query("ALTER TABLE of_second ADD COLUMN m int; DROP SCHEMA of_second; CREATE TABLE of_first (n int)");
    await first.close();
    const tables = await ask<{ owners: string[] }>(
      await as("web.2", "password-2"),
      "SELECT array_agg(DISTINCT tableowner::text) AS owners FROM pg_tables WHERE schemaname = 'public'",
    );
    expect(tables?.owners).toEqual(["web"]);
  });

  it("have passwords of their own: a new one for one leaves the other's as it is", async () => {
    await give("web.2", "password-3");
    await expect(as("web.2", "password-2")).rejects.toMatchObject(code("28P01"));
    await (await as("web", "password-1")).close();
    await give("web", "password-4");
    await (await as("web.2", "password-3")).close();
    await (await as("web", "password-4")).close();
  });

  it("are as their role is: its settings, in every database, and its attributes, also after they were changed", async () => {
    const odd = `"$user", o'dd, "With Space"`;
    await session.query(
      `ALTER ROLE web SET search_path = ${odd.replace("o'dd", '"o\'dd"')}; ALTER ROLE web SET work_mem = '7MB'; ALTER ROLE web IN DATABASE web SET work_mem = '9MB'; ALTER ROLE web CONNECTION LIMIT 5 CREATEDB`,
    );
    const pair = { user: "web", login: "web.2" };
    expect(await unlike(session, [pair])).toEqual([pair]);
    await makeAlike(session, pair);
    expect(await unlike(session, [pair])).toEqual([]);
    const shown =
      "SELECT current_setting('search_path') AS path, current_setting('work_mem') AS memory, current_user::text AS user";
    expect(await ask(await as("web.2", "password-3"), shown)).toEqual(await ask(await as("web", "password-4"), shown));
    expect(await ask(await as("web.2", "password-3", "postgres"), shown)).toMatchObject({ memory: "7MB", user: "web" });
    expect(
      await session.query("SELECT rolconnlimit AS limit, rolcreatedb AS may FROM pg_roles WHERE rolname = 'web.2'"),
    ).toEqual([{ limit: 5, may: true }]);
    await session.query(
      "ALTER ROLE web RESET ALL; ALTER ROLE web IN DATABASE web RESET ALL; ALTER ROLE web CONNECTION LIMIT -1 NOCREATEDB NOLOGIN",
    );
    await makeAlike(session, pair);
    expect(await unlike(session, [pair])).toEqual([]);
    await expect(as("web.2", "password-3")).rejects.toMatchObject(code("28000"));
    await session.query("ALTER ROLE web LOGIN");
    await makeAlike(session, pair);
    expect(await ask(await as("web.2", "password-3"), shown)).toMatchObject({ memory: "4MB", user: "web" });
  });

  it("copy what a role wrote in its own settings as it is, and run none of it", async () => {
    const evil = "a;ALTER/**/ROLE/**/web/**/SUPERUSER";
    const first = await as("web", "password-4");
    await first.query(`SELECT set_config('search_path', '${evil}', false)`);
    await first.query("ALTER ROLE web SET search_path FROM CURRENT");
    await first.close();
    await makeAlike(session, { user: "web", login: "web.2" });
    expect(await session.query("SELECT rolname FROM pg_roles WHERE rolname ~ '^web' AND rolsuper")).toEqual([]);
    expect(await ask(await as("web.2", "password-3"), "SHOW search_path")).toEqual({ search_path: evil });
    await session.query("ALTER ROLE web RESET ALL");
    await makeAlike(session, { user: "web", login: "web.2" });
  });

  it("of a superuser are superusers, and of a role that shares a database work there as its owner", async () => {
    await createUser(session, { name: "boss", password: "password-b", superuser: true });
    await give("boss.2", "password-b2", "boss");
    const who = "SELECT current_user::text AS user, current_setting('is_superuser') AS super";
    expect(await ask(await as("boss.2", "password-b2"), who)).toEqual({ user: "boss", super: "on" });
    await createUser(session, { name: "worker", password: "password-w" });
    await session.query("GRANT web TO worker; ALTER ROLE worker IN DATABASE web SET role TO web");
    await give("worker.2", "password-w2", "worker");
    expect(await ask(await as("worker.2", "password-w2"), who)).toEqual({ user: "web", super: "off" });
    expect(await ask(await as("worker.2", "password-w2", "postgres"), who)).toEqual({ user: "worker", super: "off" });
  });

  it("show in the list of users as whom they work, and until when", async () => {
    await limitLogin(session, "web", "2030-01-02T03:04:05.678Z");
    const users = await listUsers(session);
    expect(users.find(({ name }) => name === "web.2")).toMatchObject({
      worksAs: "web",
      until: null,
      databases: ["postgres", "web"],
    });
    expect(users.find(({ name }) => name === "web")).toMatchObject({ worksAs: null, until: "2030-01-02T03:04:05Z" });
    expect(await loginStates(session, ["web", "web.2", "nobody"])).toEqual(
      expect.arrayContaining([
        { login: "web", until: "2030-01-02T03:04:05.678Z", ended: false },
        { login: "web.2", until: null, ended: false },
      ]),
    );
  });

  it("end at their time or when told to, with SQLSTATE 28P01, and a new password is the end of the end", async () => {
    const refused = async (password: string) => {
      const error: unknown = await as("web", password).catch((reason: unknown) => reason);
      return (error as { code?: string }).code;
    };
    await limitLogin(session, "web", new Date(Date.now() - 1_000).toISOString());
    expect(await refused("password-4")).toBe("28P01");
    await session.query("ALTER ROLE web VALID UNTIL 'infinity'");
    const open = await as("web", "password-4");
    await endLogin(session, "web");
    await session.query("ALTER ROLE web VALID UNTIL 'infinity'");
    expect(await refused("password-4"), "nobody revives it").toBe("28P01");
    expect(await open.query("SELECT current_user::text AS user")).toEqual([{ user: "web" }]);
    expect(await loginsInUse(session, ["web", "web.2"])).toEqual(["web"]);
    await open.close();
    await give("web", "password-5");
    await (await as("web", "password-5")).close();
    expect((await loginStates(session, ["web"]))[0]).toEqual({ login: "web", until: null, ended: false });
  });

  it("are made whole or not at all, and go with what they made by themselves, which the role keeps", async () => {
    await expect(give("nobody.2", "password-n", "nobody")).rejects.toMatchObject(code("user_not_found"));
    expect(await session.query("SELECT FROM pg_roles WHERE rolname = 'nobody.2'")).toEqual([]);
    await expect(dropUser(session, "web")).rejects.toMatchObject(code("user_in_use"));
    const own = await as("web.2", "password-3");
    await own.query("SET ROLE NONE");
    await own.query('CREATE SCHEMA stray AUTHORIZATION "web.2"').catch(() => undefined);
    await own.query("CREATE TABLE stray_table (n int)");
    await own.close();
    await retireUsers((database) => asPerch(leader, database), ["web.2"], "web");
    const owner = await ask<{ owner: string }>(
      await asPerch(leader, "web"),
      "SELECT tableowner AS owner FROM pg_tables WHERE tablename = 'stray_table'",
    );
    expect(owner).toEqual({ owner: "web" });
    expect((await listUsers(session)).map(({ name }) => name)).not.toContain("web.2");
    await session.close();
  });
});
