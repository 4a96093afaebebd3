import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { HostAccess } from "../../src/api/schemas.ts";
import { ordinaryUser } from "../support/account.ts";
import { hostAddress, type Internet, internet } from "../support/internet.ts";
import { perchIn, repository, type RunningProgram, runToEnd, start, succeeded } from "../support/perch.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { eventually, operatorPassword, worldIn } from "../support/world.ts";
import { whileKilled } from "../support/while-killed.ts";

const stranger = "2001:db8::7";
const resolve = (name: string, server: string) =>
  `const r=new (require("dns").promises.Resolver)({timeout:2000,tries:1});r.setServers(["[${server}]"]);r.resolve6("${name}").then(a=>console.log(a.join(" ")),e=>console.log(e.code))`;
const knock = (host: string, port: number) =>
  `const s=require("net").connect(${port},"${host}",()=>{console.log("in");s.destroy()}).on("error",e=>console.log(e.code));setTimeout(()=>{console.log("silence");process.exit()},2000).unref()`;

/**
 * The host is a namespace of the test's own, with a neighbour who would like to come in, too: routes and interfaces of
 * this host are not touched.
 */
describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("perch host-access", () => {
  const world = worldIn();
  let net: Internet;
  let prefix = "";
  let before: string[] = [];
  const on = (name: "host" | "strangers") => (code: string) =>
    runToEnd([...net[name], "node", "-e", code]).then((ended) => succeeded(ended).trim());
  const host = (code: string) => on("host")(code);
  const up = async () =>
    succeeded(
      await runToEnd([...net.host, process.execPath, join(repository, "dist/cli/main.js"), "up"], {
        env: { PERCH_HOME: world.root },
      }),
    );
  const psql = (address: string, port: number, sql: string) =>
    runToEnd(
      [
        ...net.host,
        "psql",
        `host=${address} port=${port} user=postgres dbname=postgres connect_timeout=5`,
        "-XAtc",
        sql,
      ],
      {
        env: { PGPASSWORD: operatorPassword },
      },
    );
  const state = () => world.json<HostAccess>("host-access", "status");

  /** Interfaces, addresses, routes and rules of the host. */
  const traces = async (): Promise<string[]> => {
    const asked = [
      ["ip", "-o", "address"],
      ["ip", "-o", "link"],
      ["ip", "route", "show", "table", "all"],
      ["ip", "-6", "route", "show", "table", "all"],
      ["ip", "-6", "rule"],
      ["nft", "list", "ruleset"],
    ];
    return Promise.all(
      asked.map(async (argv) =>
        succeeded(await runToEnd([...net.host, ...argv])).replaceAll(/(expires|preferred_lft|valid_lft) \S+/g, ""),
      ),
    );
  };

  beforeAll(async () => {
    net = await internet([stranger]);
    // The wire's own addresses are being tried for a second.
    await eventually("the wire has settled", async () => !(await traces()).join("").includes("tentative"));
    before = await traces();
    await up();
    await world.create("pg", "--initial-cluster-size", "2");
    prefix = (await world.status()).network.prefix.replace("::/48", "");
  });
  afterAll(() => world.ok("down"));

  it("is off until it is asked for", async () => {
    expect(await state()).toMatchObject({ on: false, lines: [] });
    expect(await host(knock((await world.leader()).address, 5432))).toMatch(/^(ENETUNREACH|EHOSTUNREACH)$/);
    expect(await traces()).toEqual(before);
  });

  it("lets the host reach the leader by any member, and the names", async () => {
    const answer = await world.json<HostAccess>("host-access", "on");
    expect(answer).toMatchObject({ on: true, address: `${prefix}::1`, resolver: `${prefix}::3` });
    expect(answer.names || answer.lines.length > 0).toBe(true);
    const [leader, replica] = [await world.leader(), await world.replica()];
    const who = "SELECT host(inet_client_addr()), pg_is_in_recovery()";
    expect(succeeded(await psql(replica.address, 5432, who))).toBe(`${prefix}::1|f\n`);
    expect(succeeded(await psql(replica.address, 5433, who))).toBe(`${prefix}::1|t\n`);
    expect(await host(resolve("pg.internal", answer.resolver))).toBe(leader.address);
    const everyone = (await host(resolve("global.pg.internal", answer.resolver))).split(" ");
    expect(everyone.toSorted()).toEqual([leader.address, replica.address].toSorted());
    expect(await host(resolve("nobody.internal", answer.resolver))).toBe("ENOTFOUND");
  });

  it("shuts what a peer may not reach either, and every way back to the host", async () => {
    await world.ok("apps", "create", "web");
    const app = await world.begin([
      "run",
      "-a",
      "web",
      "--",
      "node",
      "-e",
      "require('net').createServer().listen(3000,'::',()=>console.log('listening'))",
    ]);
    const service: RunningProgram = await start([
      ...net.host,
      "node",
      "-e",
      "require('net').createServer().listen(7777,'::',()=>console.log('listening'))",
    ]);
    await eventually("both listen", () => app.stdout() !== "" && service.stdout() !== "");
    expect(await host(knock((await world.leader()).address, 3000))).toMatch(/^(EACCES|ECONNREFUSED|EHOSTUNREACH)$/);
    expect(await host(knock(`${prefix}::1`, 7777))).toBe("in");
    const inside = await world.perch(["run", "--", "node", "-e", knock(`${prefix}::1`, 7777)]);
    expect(inside.stdout).toMatch(/^(EACCES|ECONNREFUSED|EHOSTUNREACH)\n$/);
    for (const each of [app, service]) {
      each.kill("SIGTERM");
      await each.ended;
    }
  });

  it("leads the host to no port of an app, be it one that databases have", async () => {
    const listen =
      "require('net').createServer().listen(5433,process.env.FLY_PRIVATE_IP,()=>console.log(process.env.FLY_PRIVATE_IP))";
    const app = await world.begin(["run", "-a", "web", "--", "node", "-e", listen]);
    await eventually("it listens", () => app.stdout() !== "");
    const address = app.stdout().trim();
    expect((await world.perch(["run", "--", "node", "-e", knock(address, 5433)])).stdout).toBe("in\n");
    expect(await host(knock(address, 5433))).toBe("EACCES");
    expect(await host(knock(address, 53))).toBe("EACCES");
    expect(await host(knock((await world.leader()).address, 5433))).toBe("in");
    app.kill("SIGTERM");
    await app.ended;
  });

  it("is for the host alone: it leads in no neighbour, though it forwards packets", async () => {
    succeeded(await runToEnd([...net.host, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"]));
    succeeded(await runToEnd([...net.strangers, "ip", "-6", "route", "add", `${prefix}::/48`, "via", "2001:db8::1"]));
    expect(await on("strangers")(knock((await world.leader()).address, 5432))).toBe("silence");
    expect(await on("strangers")(knock(`${prefix}::3`, 53))).toBe("silence");
    succeeded(await runToEnd([...net.host, "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding"]));
  });

  it("outlives perchd, and asked for twice is the same as once", async () => {
    const { daemon } = await world.status();
    const { address: member } = await world.replica();
    process.kill(daemon.pid, "SIGKILL");
    await eventually(
      "the host reaches the leader without perchd",
      async () => (await psql(member, 5432, "SELECT 1")).stdout === "1\n",
    );
    await up();
    await world.ok("host-access", "on");
    expect(succeeded(await psql(member, 5432, "SELECT 1"))).toBe("1\n");
  });

  it("goes with perch down without a trace, and comes back with perch up", async () => {
    await world.ok("down");
    expect(await traces()).toEqual(before);
    await up();
    expect(await state()).toMatchObject({ on: true });
    expect(succeeded(await psql((await world.leader()).address, 5432, "SELECT 1"))).toBe("1\n");
  });

  it("goes on with a wish whose perchd was killed before it did anything about it, off and on", async () => {
    await whileKilled(world, ({ network }) => network.update({}, ({ hostAccess: _wish, ...record }) => record));
    await up();
    expect(await state()).toMatchObject({ on: false });
    expect(await traces()).toEqual(before);
    await whileKilled(world, ({ network }) =>
      network.update({}, (record) => ({ ...record, hostAccess: true, hostAccessPhase: "creating" })),
    );
    await up();
    expect(await state()).toMatchObject({ on: true });
    expect(succeeded(await psql((await world.leader()).address, 5432, "SELECT 1"))).toBe("1\n");
    expect(await world.ok("events")).toContain("close the host's way in: it is not wanted any more");
  });

  it("is off again at once, without a trace, and stays so", async () => {
    expect(await world.json("host-access", "off")).toMatchObject({ on: false });
    expect(await traces()).toEqual(before);
    expect(await host(knock((await world.leader()).address, 5432))).toMatch(/^(ENETUNREACH|EHOSTUNREACH)$/);
    await world.ok("down");
    await up();
    expect(await state()).toMatchObject({ on: false });
    expect(hostAddress).toBe("203.0.113.1");
  });
});

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("perch host-access, where it cannot be had,", () => {
  it.each([
    ["an ordinary user is told why", [], "host_access_needs_root"],
    ["portable mode is told why", ["--portable"], "portable_mode"],
  ])("%s", async (_title, more, code) => {
    const user = ordinaryUser();
    const perch = perchIn(tempHome(user), { as: user, cwd: "/" });
    succeeded(await perch(["up", ...more]));
    expect((await perch(["host-access", "on"])).stderr).toContain(`[${code}]`);
    expect(JSON.parse(succeeded(await perch(["host-access", "status", "--json"])))).toMatchObject({ on: false });
    succeeded(await perch(["host-access", "off"]));
    succeeded(await perch(["down"]));
  });
});
