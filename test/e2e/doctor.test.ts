import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeAuthority } from "../../src/postgres/tls/certificate.ts";
import { doctorOf, mend, wrong } from "../support/diagnosis.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, worldIn } from "../support/world.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))(
  "perch doctor, with each thing of a server broken for real",
  () => {
    const world = worldIn();
    const doctor = (...more: string[]) => doctorOf(world, ...more);
    const sql = async (text: string, database?: string) => world.sql((await world.leader()).id, text, database);
    const well = async () => expect(wrong(await doctor())).toEqual([]);
    const secret = (url: string) => world.ok("secrets", "set", "-a", "web", `DATABASE_URL=${url}`);

    beforeAll(async () => {
      await world.ok("up");
      await world.create("pg", "--initial-cluster-size", "2");
      await world.ok("apps", "create", "web");
    });

    it("finds that there is no daemon", async () => {
      const nowhere = worldIn();
      const sentence = `Perch is not running for ${nowhere.root}`;
      expect(await doctorOf(nowhere)).toEqual([{ check: "daemon", state: "fail", sentence, next: "perch up" }]);
    });

    it("finds an app that is not attached, and what attaches it", async () => {
      const [line, ...others] = wrong(await doctor());
      expect([line?.check, line?.next, others]).toEqual(["url", "perch postgres attach pg --app web", []]);
      await mend(world, line);
      await well();
    });

    it("passes every place in order, and says so to people, from any region and for the cluster itself", async () => {
      const checks = "daemon namespace url name address port tls password database role leader connections disk lag";
      expect((await doctor("--region", "lhr")).map(({ check }) => check).join(" ")).toBe(checks);
      const said = await world.ok("doctor", "-a", "web");
      expect(said).toMatch(/^ok {4}leader {7}the app meets the leader \w+ in ams, for reads and writes$/m);
      expect(said).toMatch(/\nweb can connect\.\n$/);
      expect(await world.ok("doctor", "-a", "pg")).toMatch(/\npg can connect\.\n$/);
      expect(await world.error("doctor", "-a", "nosuch")).toMatchObject({ code: "app_not_found", exit: 1 });
    });

    it("finds a password that was changed behind Perch's back", async () => {
      await sql("ALTER ROLE web PASSWORD 'behind-the-back'");
      const [line, ...others] = wrong(await doctor());
      expect([line?.check, line?.sentence, others]).toEqual([
        "password",
        "PostgreSQL refuses the password of web: it is not the one in DATABASE_URL",
        [],
      ]);
      await mend(world, line);
      await well();
    });

    it("finds a dropped login of the app's role, and a dropped role behind a login that comes in", async () => {
      await sql('DROP ROLE "web.2"');
      const [login] = wrong(await doctor());
      expect([login?.check, login?.sentence]).toEqual(["role", "pg has no role web.2, as which the app logs in"]);
      await mend(world, login);
      await well();
      await sql("REASSIGN OWNED BY web TO postgres; DROP OWNED BY web", "web");
      await sql("DROP ROLE web");
      const role = wrong(await doctor()).find(({ check }) => check === "role");
      expect(role?.sentence).toBe("pg has no role web, as which the app works");
      await mend(world, role);
      await well();
      expect(await world.ok("postgres", "users", "list", "-a", "pg")).not.toContain("web.");
    });

    it("finds a dropped database", async () => {
      await sql("DROP DATABASE web WITH (FORCE)");
      const lines = await doctor();
      expect(lines).toContainEqual({
        check: "password",
        state: "ok",
        sentence: "PostgreSQL takes the password of web",
      });
      expect(wrong(lines).map(({ check }) => check)).toEqual(["database"]);
      await mend(world, wrong(lines)[0]);
      await well();
    });

    it("finds a dropped role, and one that may not come in", async () => {
      await sql("ALTER ROLE web NOLOGIN");
      expect(wrong(await doctor()).map(({ sentence }) => sentence)).toEqual(["the role web may not log in (NOLOGIN)"]);
      await sql("ALTER ROLE web LOGIN; REVOKE CONNECT ON DATABASE web FROM web");
      expect(wrong(await doctor()).map(({ sentence }) => sentence)).toEqual([
        "the role web may not connect to web: GRANT CONNECT is missing",
      ]);
      await sql("REASSIGN OWNED BY web TO postgres; DROP OWNED BY web", "web");
      await sql("DROP ROLE web");
      const [line, ...others] = wrong(await doctor());
      expect([line?.sentence, others]).toEqual(["pg has no role web, as which the app works", []]);
      await mend(world, line);
      await well();
    });

    describe("with a URL set by hand", () => {
      afterEach(async () => {
        await world.ok("postgres", "users", "rotate", "web", "-a", "pg");
        await well();
      });

      it.each([
        ["leads to a name that is not there", "postgres://web:x@nosuch.internal/web", ["warn url", "fail name"]],
        [
          "leads to an address where nobody listens",
          "postgres://web:x@[::1]:5999/web",
          ["warn url", "warn address", "fail port"],
        ],
        ["has a wrong port", "postgres://web:x@pg.internal:5434/web", ["warn url", "fail port"]],
        ["is no URL of PostgreSQL", "mysql://web:x@pg.internal/web", ["fail url"]],
      ])("finds that it %s", async (_what, url, expected) => {
        await secret(url);
        expect(wrong(await doctor()).map(({ state, check }) => `${state} ${check}`)).toEqual(expected);
      });

      it("finds that the certificate is not one that its authority vouches for", async () => {
        const other = join(temporaryDirectory(), "other.pem");
        writeFileSync(other, (await makeAuthority("other")).certificate);
        const url = await world.url();
        await secret(`${url}?sslmode=verify-full&sslrootcert=${other}`);
        const [line, ...others] = wrong(await doctor());
        expect([line?.check, line?.next, others]).toEqual(["tls", "perch certs ca > ca.pem", []]);
        writeFileSync(other, await world.ok("certs", "ca"));
        await well();
      });
    });

    it("finds a server without a connection left, and still asks it who has them", async () => {
      await world.ok("postgres", "config", "update", "-a", "pg", "--max-connections", "17", "--restart");
      const leader = await world.leader();
      const [{ left } = { left: 0 }] = await world.sql<{ left: number }>(
        leader.id,
        "SELECT 14 - count(*)::int + 1 AS left FROM pg_stat_activity WHERE backend_type = 'client backend'",
      );
      const held: pg.Client[] = [];
      for (let i = 0; i < left; i++) held.push(await world.connect(leader.id));
      const [line, ...others] = wrong(await doctor());
      await Promise.all(held.map((client) => client.end()));
      expect([line?.check, line?.sentence, others]).toEqual([
        "connections",
        expect.stringMatching(/^0 of 14 are left; web(\.\d)? has 0$/),
        [],
      ]);
      await mend(world, line);
      await eventually("the replica streams again", async () => wrong(await doctor()).length === 0);
    });

    it("finds a stopped replica, which is no reason not to connect", async () => {
      const replica = await world.replica();
      await world.ok("machine", "stop", replica.id);
      const [line, ...others] = wrong(await doctor());
      expect([line, others]).toEqual([
        {
          check: "lag",
          state: "warn",
          sentence: `replica ${replica.id} in ${replica.region} is stopped`,
          next: `perch machine start ${replica.id}`,
        },
        [],
      ]);
      await mend(world, line);
      await well();
    });

    it("finds a stopped leader beside a replica, and a cluster that is stopped whole", async () => {
      const [leader, replica] = [await world.leader(), await world.replica()];
      await world.ok("machine", "stop", leader.id);
      const first = wrong(await doctor()).filter(({ state }) => state === "fail");
      expect(first.map(({ check, next }) => `${check} ${next}`)).toEqual([
        `port perch machine start ${leader.id}`,
        `leader perch machine start ${leader.id}`,
      ]);
      await world.ok("machine", "stop", replica.id);
      const lines = wrong(await doctor());
      expect(lines.map(({ state, check }) => `${state} ${check}`)).toEqual(["fail port", "fail leader", "warn lag"]);
      await mend(world, lines[0]);
      await mend(world, lines[2]);
      await well();
    });

    it("finds a server that offers no TLS to an app that wants it", async () => {
      await sql("ALTER SYSTEM SET ssl = off");
      await sql("SELECT pg_reload_conf()");
      const url = await world.url();
      await secret(`${url}?sslmode=require`);
      const tls = await eventually("TLS is off", async () =>
        (await doctor()).find(({ check, state }) => check === "tls" && state === "fail"),
      );
      expect(tls.answer).toMatchObject({
        sentence: expect.stringContaining("the server offers none"),
        next: "perch postgres connect -a pg",
      });
      await sql("ALTER SYSTEM RESET ssl");
      await sql("SELECT pg_reload_conf()");
      await eventually("all is well again", async () => wrong(await doctor()).length === 0);
      await world.ok("postgres", "users", "rotate", "web", "-a", "pg");
    });
  },
);
