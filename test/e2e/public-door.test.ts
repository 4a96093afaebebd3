import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Exposure } from "../../src/api/schemas.ts";
import { hostAddress, type Internet, internet, sessionOver } from "../support/internet.ts";
import type { Exposure as AskedExposure } from "../../src/model/exposure.ts";
import { repository, runToEnd, start, succeeded } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, operatorPassword, timed, worldIn } from "../support/world.ts";
import { whileKilled } from "../support/while-killed.ts";

/** What a stranger on the Internet meets, by trying. One story: each test goes on where the one before it ended. */
const hostname = "db.example.com";
const [port, replicaPort] = [5432, 5433];
const strangers = ["203.0.113.7", "203.0.113.8", "203.0.113.99"];

describe.skipIf(missingTools("ip", "nft", "nsenter", "psql", "unshare --net true"))("a public door", () => {
  const world = worldIn();
  const { root, ok, json } = world;
  const authority = join(temporaryDirectory(), "ca.pem");
  let net: Internet;
  let ca = "";
  let password = "";

  const listening = async () => succeeded(await runToEnd([...net.host, "ss", "-Hltn"]));
  const expose = (...more: string[]) =>
    json<Exposure>(
      "postgres",
      "expose",
      "-a",
      "pg",
      "--hostname",
      hostname,
      "--listen",
      `${hostAddress}:${port}`,
      ...more,
    );
  const url = (query: string) => `postgres://joe@${hostname}:${port}/postgres?hostaddr=${hostAddress}&${query}`;
  const psql = async (to: string, text = "SELECT current_user") =>
    runToEnd([...net.strangers, "psql", to, "-XAtc", text], { env: { PGPASSWORD: password, PGCONNECT_TIMEOUT: "10" } });
  const login = async (from: string, more: pg.ClientConfig = {}, at = port) =>
    sessionOver(await net.dial({ port: at, from }), {
      user: "joe",
      password,
      database: "postgres",
      ssl: { ca, servername: hostname },
      ...more,
    });
  const seen = async (client: pg.Client) =>
    (
      await client.query<{ at: string; standby: boolean }>(
        "SELECT host(inet_client_addr()) AS at, pg_is_in_recovery() AS standby",
      )
    ).rows[0];

  const up = async () =>
    succeeded(
      await runToEnd([...net.host, process.execPath, join(repository, "dist/cli/main.js"), "up"], {
        env: { PERCH_HOME: root },
      }),
    );

  beforeAll(async () => {
    net = await internet(strangers);
    await up();
    await world.create("pg", "--initial-cluster-size", "2");
    ({ password } = await json<{ password: string }>("postgres", "users", "create", "-a", "pg", "joe"));
    ca = await ok("certs", "ca");
    writeFileSync(authority, ca);
  });

  afterAll(async () => {
    await ok("down");
  });

  it("is not there before it was asked for, and asks where to listen", async () => {
    expect(await listening()).toBe("");
    expect(await world.error("postgres", "expose", "-a", "pg", "--hostname", hostname)).toMatchObject({
      code: "usage_invalid",
      exit: 2,
    });
    expect(await listening()).toBe("");
  });

  it("lets a client in that verifies the name, over TLS that ends in PostgreSQL", async () => {
    const { value: door } = await timed("expose", expose("--replica-listen", `${hostAddress}:${replicaPort}`));
    expect(door).toMatchObject({ state: "open", certificate: { from: "own" }, allow: [], allowSuperuser: false });
    expect(succeeded(await psql(url(`sslmode=verify-full&sslrootcert=${authority}&channel_binding=require`)))).toBe(
      "joe\n",
    );
    expect((await listening()).split("\n").filter((line) => line.includes(`:${port} `))).toEqual([
      expect.stringContaining(`${hostAddress}:${port}`),
    ]);
  });

  it("shows PostgreSQL each source at an address of its own", async () => {
    const addresses = await Promise.all(
      strangers.map(async (from) => {
        const client = await login(from);
        const at = (await seen(client))?.at;
        await client.end();
        return at;
      }),
    );
    expect(addresses).toEqual(
      ["cb00:7107", "cb00:7108", "cb00:7163"].map((half) => expect.stringMatching(new RegExp(`:ffff:0:ffff:${half}$`))),
    );
  });

  it("demands TLS, and the name in the certificate", async () => {
    expect((await psql(url("sslmode=disable"))).stderr).toMatch(
      /pg_hba\.conf rejects connection for host ".*", user "joe".*no encryption/,
    );
    const wrong = await psql(url(`sslmode=verify-full&sslrootcert=${authority}`).replace(hostname, "db.example.org"));
    expect(wrong.stderr).toContain('server certificate for "pg.internal"');
  });

  it("refuses superusers, one that is made later, too, and whoever wants to replicate", async () => {
    const attempt = (user: string, secret: string) =>
      login(strangers[0] ?? "", { user, password: secret }).then((client) => client.end());
    await expect(attempt("postgres", operatorPassword)).rejects.toThrow("pg_hba.conf rejects connection");
    const root2 = await json<{ password: string }>(
      "postgres",
      "users",
      "create",
      "-a",
      "pg",
      'my "root"',
      "--superuser",
    );
    await eventually("the new superuser is refused", () =>
      attempt('my "root"', root2.password).then(
        () => false,
        (error: Error) => error.message.includes("pg_hba.conf rejects connection"),
      ),
    );
    const deputy = await json<{ password: string }>("postgres", "users", "create", "-a", "pg", "deputy");
    await world.sql((await world.leader()).id, "GRANT postgres TO deputy");
    await eventually("who may become a superuser is refused", () =>
      attempt("deputy", deputy.password).then(
        () => false,
        (error: Error) => error.message.includes("pg_hba.conf rejects connection"),
      ),
    );
    const replicating = await psql(`${url("sslmode=require")}&replication=true`, "IDENTIFY_SYSTEM");
    expect(replicating.stderr).toContain("pg_hba.conf rejects replication connection");
    expect(await expose("--replica-listen", `${hostAddress}:${replicaPort}`, "--allow-superuser")).toMatchObject({
      allowSuperuser: true,
    });
    await attempt("postgres", operatorPassword);
    await expect(attempt("perch", operatorPassword)).rejects.toThrow("pg_hba.conf rejects connection");
  });

  it("leads to a replica by its second port, which takes no writes", async () => {
    const client = await login(strangers[1] ?? "", {}, replicaPort);
    expect((await seen(client))?.standby).toBe(true);
    await expect(client.query("CREATE TABLE t (n int)")).rejects.toMatchObject({ code: "25006" });
    await client.end();
  });

  it("lets nobody in from outside of the CIDRs, and ends who is in when they change", async () => {
    const inside = await login("203.0.113.99");
    const ended = new Promise((resolve) => inside.once("end", resolve));
    const door = await expose("--replica-listen", `${hostAddress}:${replicaPort}`, "--allow", "203.0.113.0/28");
    expect(door).toMatchObject({ allow: ["203.0.113.0/28"], allowSuperuser: false });
    await ended;
    await expect(login("203.0.113.99")).rejects.toThrow(/ECONNRESET|gone/);
    await (await login("203.0.113.7")).end();
    const [listed] = await json<Exposure[]>("postgres", "exposures");
    expect(listed?.refused).toBeGreaterThan(0);
  });

  it("goes on with a wish whose perchd was killed before it did anything about it, and takes back what cannot be", async () => {
    const door = async () => (await json<Exposure[]>("postgres", "exposures"))[0];
    let whole: AskedExposure | undefined;
    await whileKilled(world, ({ clusters }) =>
      clusters.update({ app: "pg" }, ({ exposure, ...record }) => ((whole = exposure), record)),
    );
    if (whole === undefined) throw new Error("nothing was exposed");
    const original = whole;
    await up();
    await eventually("it is shut", async () => (await listening()) === "");
    expect(await ok("events")).toContain("shut the public door of pg: it is not wanted any more");
    const { superusers: _known, ...unasked } = original;
    await whileKilled(world, ({ clusters }) =>
      clusters.update({ app: "pg" }, (record) => ({ ...record, exposure: { ...unasked, phase: "creating" } })),
    );
    await up();
    await eventually("it is open", async () => (await door())?.state === "open");
    await expect(login("203.0.113.7", { user: "postgres", password: operatorPassword })).rejects.toThrow("pg_hba.conf");
    await (await login("203.0.113.7")).end();
    const taker = await start([
      ...net.host,
      "node",
      "-e",
      `require('net').createServer().listen(6000,'${hostAddress}',()=>console.log('taken'))`,
    ]);
    await eventually("the port is taken", () => taker.stdout() !== "");
    await whileKilled(world, ({ clusters }) =>
      clusters.update({ app: "pg" }, (record) => ({
        ...record,
        exposure: {
          ...original,
          listen: `${hostAddress}:6000`,
          phase: "creating",
          createdAt: new Date().toISOString(),
          before: original,
        },
      })),
    );
    await up();
    await eventually("the one before is open", async () => (await door())?.state === "open");
    expect(await door()).toMatchObject({ listen: `${hostAddress}:${port}` });
    await (await login("203.0.113.7")).end();
    expect(await ok("events")).toMatch(/opening the public door of pg failed: .*another program listens on that port/);
    taker.kill("SIGKILL");
    await taker.ended;
  });

  it("is shut by unexpose: the last packet comes at once, the port is free, and PostgreSQL admits nobody from there", async () => {
    const client = await login("203.0.113.7");
    let last = 0;
    const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
    let asking = true;
    const asked = (async () => {
      while (asking) {
        await client.query("SELECT 1").then(
          () => (last = performance.now()),
          () => (asking = false),
        );
      }
    })();
    const from = performance.now();
    const { ms } = await timed("unexpose", world.client.call("unexpose", { params: { cluster: "pg" } }));
    await ended;
    await asked;
    process.stderr.write(`unexpose: the last answer ${Math.round(last - from)} ms after it was asked for\n`);
    expect(last - from).toBeLessThanOrEqual(ms);
    await expect(net.dial({ port, from: "203.0.113.7" })).rejects.toThrow("ECONNREFUSED");
    expect(await json("postgres", "exposures")).toEqual([]);
    expect(await world.error("postgres", "unexpose", "-a", "pg")).toMatchObject({ code: "not_exposed" });
  });
});
