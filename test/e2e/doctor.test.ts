import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Diagnosis } from "../../src/api/schemas.ts";
import type { NetworkDiagnosis } from "../../src/cli/diagnose-network.ts";
import type { ProcessIdentity } from "../../src/model/records.ts";
import { makeAuthority } from "../../src/postgres/certificate.ts";
import { runToEnd, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, processesOf } from "../support/traces.ts";
import { eventually, worldIn, type World } from "../support/world.ts";

type Line = Diagnosis["lines"][number];

/** `perch doctor -a web`, with its exit code held against its lines. */
async function doctorOf(world: World, ...more: string[]): Promise<Line[]> {
  const ended = await world.perch(["doctor", "-a", "web", "--json", ...more]);
  const { ok, lines } = JSON.parse(ended.stdout) as Diagnosis;
  expect([ok, ended.code]).toEqual(lines.some(({ state }) => state === "fail") ? [false, 1] : [true, 0]);
  return lines;
}

const wrong = (lines: Line[]): Line[] => lines.filter(({ state }) => state !== "ok");

/** Types what the line says, word by word. */
async function mend(world: World, line: Line | undefined): Promise<void> {
  for (const command of line?.next?.split(" && ") ?? []) await world.ok(...command.split(" ").slice(1));
}

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("perch doctor, with each thing broken for real", () => {
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

  it("without an app looks at perchd and the name server while there is no cluster, and then at every cluster", async () => {
    const fresh = worldIn();
    const asked = async () => {
      const { code, stdout } = await fresh.perch(["doctor", "--json"]);
      return { code, ...(JSON.parse(stdout) as NetworkDiagnosis) };
    };
    const checks = (lines: Line[] = []) => lines.map(({ state, check }) => `${state} ${check}`).join(", ");
    expect(await asked()).toMatchObject({ code: 1, ok: false, lines: [{ check: "daemon", next: "perch up" }] });
    await fresh.ok("up");
    const { code, lines } = await asked();
    expect([code, checks(lines)]).toEqual([0, "ok daemon, ok name"]);
    expect(await fresh.ok("doctor")).toMatch(/\n\nThere is no cluster yet\. Make one: {2}perch postgres create --name pg\n$/);
    await fresh.create("one");
    await fresh.create("two");
    await fresh.ok("machine", "stop", (await fresh.leader("two")).id);
    const both = await asked();
    expect([both.code, checks(both.lines)]).toEqual([1, "ok daemon, ok namespace, ok disk"]);
    expect(both.clusters.map(({ app, ok, lines: own }) => [app, ok, checks(wrong(own))])).toEqual([
      ["one", true, ""],
      ["two", false, "fail name, fail leader"],
    ]);
    expect((await fresh.perch(["doctor"])).stdout).toMatch(
      /\n\nCluster one\n[^]+\none can connect\.\n\nCluster two\n[^]+\ntwo cannot connect: look at name, leader\.\n$/,
    );
    expect(await fresh.error("doctor", "--variable-name", "MAIN_URL")).toMatchObject({ code: "usage_invalid", exit: 2 });
    await fresh.ok("down");
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

  it("finds a dropped database", async () => {
    await sql("DROP DATABASE web WITH (FORCE)");
    const lines = await doctor();
    expect(lines).toContainEqual({ check: "password", state: "ok", sentence: "PostgreSQL takes the password of web" });
    expect(wrong(lines).map(({ check }) => check)).toEqual(["database"]);
    await mend(world, wrong(lines)[0]);
    await well();
  });

  it("finds a dropped role, and one that may not come in", async () => {
    await sql("ALTER ROLE web NOLOGIN");
    expect(wrong(await doctor()).map(({ sentence }) => sentence)).toEqual(["the role web may not log in (NOLOGIN)"]);
    await sql("ALTER ROLE web LOGIN; REVOKE CONNECT ON DATABASE web FROM web");
    expect(wrong(await doctor()).map(({ sentence }) => sentence)).toEqual(["the role web may not connect to web: GRANT CONNECT is missing"]);
    await sql("REASSIGN OWNED BY web TO postgres; DROP OWNED BY web", "web");
    await sql("DROP ROLE web");
    const [line, ...others] = wrong(await doctor());
    expect([line?.sentence, others]).toEqual(["pg has no role web, as which the app logs in", []]);
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
      ["leads to an address where nobody listens", "postgres://web:x@[::1]:5999/web", ["warn url", "warn address", "fail port"]],
      ["has a wrong port", "postgres://web:x@pg.internal:5434/web", ["warn url", "fail port"]],
      ["is no URL of PostgreSQL", "mysql://web:x@pg.internal/web", ["fail url"]],
    ])("finds that it %s", async (_what, url, expected) => {
      await secret(url);
      expect(wrong(await doctor()).map(({ state, check }) => `${state} ${check}`)).toEqual(expected);
    });

    it("finds that the certificate is not one that its authority vouches for", async () => {
      const other = join(temporaryDirectory(), "other.pem");
      writeFileSync(other, (await makeAuthority("other")).certificate);
      const url = succeeded(await world.perch(["run", "-a", "web", "--", "printenv", "DATABASE_URL"])).trim();
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
    expect([line?.check, line?.sentence, others]).toEqual(["connections", expect.stringMatching(/^0 of 14 are left; web has 0$/), []]);
    await mend(world, line);
    await eventually("the replica streams again", async () => wrong(await doctor()).length === 0);
  });

  it("finds a stopped replica, which is no reason not to connect", async () => {
    const replica = await world.replica();
    await world.ok("machine", "stop", replica.id);
    const [line, ...others] = wrong(await doctor());
    expect([line, others]).toEqual([
      { check: "lag", state: "warn", sentence: `replica ${replica.id} in ${replica.region} is stopped`, next: `perch machine start ${replica.id}` },
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
    expect(lines.map(({ state, check }) => `${state} ${check}`)).toEqual(["fail name", "fail leader", "warn lag"]);
    await mend(world, lines[0]);
    await mend(world, lines[2]);
    await well();
  });

  it("finds a server that offers no TLS to an app that wants it", async () => {
    await sql("ALTER SYSTEM SET ssl = off");
    await sql("SELECT pg_reload_conf()");
    const url = succeeded(await world.perch(["run", "-a", "web", "--", "printenv", "DATABASE_URL"])).trim();
    await secret(`${url}?sslmode=require`);
    const tls = await eventually("TLS is off", async () => (await doctor()).find(({ check, state }) => check === "tls" && state === "fail"));
    expect(tls.answer).toMatchObject({ sentence: expect.stringContaining("the server offers none"), next: "perch postgres connect -a pg" });
    await sql("ALTER SYSTEM RESET ssl");
    await sql("SELECT pg_reload_conf()");
    await eventually("all is well again", async () => wrong(await doctor()).length === 0);
    await world.ok("postgres", "users", "rotate", "web", "-a", "pg");
  });

  it("finds a port whose packets are dropped, where nobody says so", async () => {
    const enter = ["nsenter", `--net=/run/netns/perch-${world.home.id}`, "--"];
    const rules = `add table inet foreign\nadd chain inet foreign in { type filter hook input priority 0; }\nadd rule inet foreign in tcp dport 5433 drop\n`;
    succeeded(await runToEnd([...enter, "nft", "-f", "-"], { input: rules }));
    const [line] = wrong(await doctor());
    expect(line).toMatchObject({ check: "port", sentence: expect.stringContaining("something drops its packets"), next: "perch down && perch up" });
    await mend(world, line);
    await well();
  });

  it("finds a name server that is silent", async () => {
    const server = (await processesOf(world.root)).find(({ command }) => command.includes("dns/main"));
    if (server === undefined) throw new Error("there is no name server");
    process.kill(server.pid, "SIGSTOP");
    const [line, ...others] = wrong(await doctor());
    process.kill(server.pid, "SIGCONT");
    expect([line?.check, others]).toEqual(["name", []]);
    expect(line?.sentence).toContain("the name server does not answer for pg.internal");
    await well();
  });

  it("finds a namespace that was taken away, and down and up make it anew", async () => {
    if (process.getuid?.() === 0) succeeded(await runToEnd(["ip", "netns", "delete", `perch-${world.home.id}`]));
    else await killHard([JSON.parse(readFileSync(join(world.home.runtime, "anchor.json"), "utf8")) as ProcessIdentity]);
    const [line] = wrong(await doctor());
    expect([line?.check, line?.next]).toEqual(["namespace", "perch down && perch up"]);
    await mend(world, line);
    await well();
  });
});

describe("perch doctor in portable mode", () => {
  const world = worldIn();

  it("goes by localhost and the ports there", async () => {
    await world.ok("up", "--portable");
    await world.create();
    await world.ok("apps", "create", "web");
    await world.ok("postgres", "attach", "pg", "--app", "web");
    const lines = await doctorOf(world);
    expect(wrong(lines)).toEqual([]);
    expect(lines.find(({ check }) => check === "url")?.sentence).toMatch(
      /^DATABASE_URL leads to web@localhost:\d+\/web, as the attachment to pg has it$/,
    );
  });

  it("finds a stopped leader behind the port, and a password that was changed", async () => {
    const leader = await world.leader();
    await world.ok("machine", "stop", leader.id);
    const stopped = wrong(await doctorOf(world));
    expect(stopped.map(({ state, check }) => `${state} ${check}`)).toContain("fail leader");
    await mend(
      world,
      stopped.find(({ check }) => check === "leader"),
    );
    await world.ok("secrets", "set", "-a", "web", "DATABASE_URL=postgres://web:not-the-one@pg.internal:5432/web");
    const [line, ...others] = wrong(await doctorOf(world));
    expect([line?.check, others]).toEqual(["password", []]);
    await mend(world, line);
    expect(wrong(await doctorOf(world))).toEqual([]);
  });
});
