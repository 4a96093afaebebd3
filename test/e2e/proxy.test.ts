import { existsSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { identify } from "../../src/host/process/process.ts";
import { isRoot } from "../../src/host/system/home.ts";
import { findUser, serverUserName } from "../../src/host/system/users.ts";
import type { RunningProgram } from "../support/perch.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { processesOf } from "../support/traces.ts";
import { eventually, operatorPassword, worldIn } from "../support/world.ts";

/** What a process of this home is, by its command. */
const programs: [RegExp, string][] = [
  [/dist\/daemon\//, "perchd"],
  [/dist\/cli\//, "perch proxy"],
  [/dist\/dns\/main/, "the name server"],
  [/dist\/network\/dialler-main/, "the dialler"],
  [/pasta/, "pasta"],
  [/^(\S*\/)?(ip|nft)\b.*\bmonitor\b/, "what hears the kernel"],
  [/^(\S*\/)?postgres/, "PostgreSQL"],
];

function rightsOf(pid: number) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const said = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  return {
    uids: [...new Set(said("Uid").split(/\s+/).map(Number))],
    capable: BigInt(`0x${said("CapPrm")}`) !== 0n,
    noNewPrivs: said("NoNewPrivs") === "1",
    seccomp: said("Seccomp"),
  };
}

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter"))("perch proxy", () => {
  const world = worldIn();
  const proxies: RunningProgram[] = [];

  beforeAll(async () => {
    await world.ok("up");
    await world.create("pg", "--initial-cluster-size", "1");
    await world.ok("machine", "clone", (await world.leader()).id, "--region", "lhr");
  });
  afterAll(async () => {
    for (const proxy of proxies) proxy.kill("SIGTERM");
    await Promise.all(proxies.map(({ ended }) => ended));
    await world.ok("down");
  });

  /** Begins one and waits until it says where it listens. */
  async function proxied(...args: string[]): Promise<RunningProgram & { listen: string; host: string; port: number }> {
    const proxy = await world.begin(["proxy", ...args, "--json"]);
    proxies.push(proxy);
    const line = await eventually("the proxy listens", () => /^\{.*\}$/m.exec(proxy.stdout())?.[0]);
    return { ...proxy, ...(JSON.parse(line.answer) as { listen: string; host: string; port: number }) };
  }

  async function ask(listen: string, sql: string): Promise<unknown[]> {
    const url = `postgres://postgres:${operatorPassword}@${listen}/postgres`;
    const client = new pg.Client(
      listen.startsWith("/")
        ? { host: listen, user: "postgres", password: operatorPassword, database: "postgres" }
        : url,
    );
    client.on("error", () => undefined);
    await client.connect();
    return client
      .query({ text: sql, rowMode: "array" })
      .then(({ rows }) => rows[0] as unknown[])
      .finally(() => client.end());
  }

  it("is a port of this host that leads to the leader", async () => {
    const proxy = await proxied("0", "-a", "pg");
    expect(proxy.listen).toMatch(/^127\.0\.0\.1:\d+$/);
    expect([proxy.host, proxy.port]).toEqual(["pg.internal", 5432]);
    expect(await ask(proxy.listen, "SELECT pg_is_in_recovery(), host(inet_server_addr())")).toEqual([
      false,
      (await world.leader()).address,
    ]);
  });

  it.skipIf(!isRoot())(
    "runs as root what docs/security.md names, and nothing else: the program that dials has no right",
    async () => {
      const proxy = await proxied("0", "-a", "pg");
      expect(await ask(proxy.listen, "SELECT 1")).toEqual([1]);
      const servers = (await findUser(serverUserName))?.uid;
      const found = (await processesOf(world.root)).map(({ pid, command }) => {
        const [, what = command] = programs.find(([pattern]) => pattern.test(command)) ?? [];
        return { what, ...rightsOf(pid) };
      });
      const root = { uids: [0], capable: true };
      const whatRuns: Record<string, object> = {
        perchd: root,
        "perch proxy": root,
        "the name server": root,
        pasta: { uids: [0], capable: true },
        "what hears the kernel": root,
        "the dialler": { uids: [65_534], capable: false, noNewPrivs: true },
        PostgreSQL: { uids: [servers], capable: false },
      };
      // Whether pasta works depends on the machine's own network.
      const kinds = new Set([...found.map(({ what }) => what), "pasta"]);
      expect(kinds).toEqual(new Set(Object.keys(whatRuns)));
      for (const each of found) expect(each).toMatchObject(whatRuns[each.what] ?? {});
    },
  );

  it("leads to a region's own member with --region", async () => {
    const proxy = await proxied("0", "-a", "pg", "--region", "lhr");
    expect(await ask(proxy.listen, "SELECT pg_is_in_recovery(), host(inet_server_addr())")).toEqual([
      true,
      (await world.replica()).address,
    ]);
  });

  it("is a unix socket where a path is given, which its owner alone can open, and which is gone afterwards", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, ".s.PGSQL.5432");
    const proxy = await proxied(path, "-a", "pg");
    expect(statSync(path).mode & 0o077).toBe(0);
    expect(await ask(directory, "SELECT 1")).toEqual([1]);
    proxy.kill("SIGINT");
    expect((await proxy.ended).code).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  it("takes over the socket's file of one that was killed", async () => {
    const path = join(temporaryDirectory(), ".s.PGSQL.5432");
    const first = await proxied(path, "-a", "pg");
    expect(await world.error("proxy", path, "-a", "pg")).toMatchObject({ code: "proxy_listen" });
    first.kill("SIGKILL");
    await first.ended;
    expect((await proxied(path, "-a", "pg")).listen).toBe(path);
  });

  it("reaches what an app listens at, by the app's name", async () => {
    await world.ok("apps", "create", "web");
    const server = await world.begin([
      "run",
      "-a",
      "web",
      "--",
      "node",
      "-e",
      "require('net').createServer(s=>s.end('hello')).listen(3000,'::')",
    ]);
    await eventually(
      "the app has its name",
      async () => (await world.perch(["dig", "web.internal", "--short"])).stdout.trim() !== "",
    );
    const proxy = await proxied("0:3000", "-a", "web");
    const said = await eventually("the app answers", async () => (await textAt(proxy.listen)) || undefined);
    expect(said.answer).toBe("hello");
    server.kill("SIGTERM");
    await server.ended;
  });

  it("keeps a connection waiting while the leader changes, and leads it to the new one", async () => {
    const proxy = await proxied("0", "-a", "pg");
    const before = (await world.leader()).id;
    let over = false;
    let answers = 0;
    const told: string[] = [];
    const asking = (async () => {
      for (; !over; answers++) await ask(proxy.listen, "SELECT 1").catch((error: unknown) => told.push(String(error)));
    })();
    await world.ok("postgres", "failover", "-a", "pg", "--to", (await world.replica()).id, "--allow-secondary-region");
    over = true;
    await asking;
    expect(answers).toBeGreaterThan(0);
    // Who was connected when the old leader stopped is told so, once; nobody is refused.
    expect(told.filter((error) => !/terminat|shutting down|starting up|ECONNRESET|closed/.test(error))).toEqual([]);
    expect(told.length).toBeLessThanOrEqual(2);
    expect((await world.leader()).id).not.toBe(before);
    expect(await ask(proxy.listen, "SELECT pg_is_in_recovery()")).toEqual([false]);
  });

  it("goes on with its connections when perchd is killed, and serves new ones when it is back", async () => {
    const proxy = await proxied("0", "-a", "pg");
    const client = new pg.Client(`postgres://postgres:${operatorPassword}@${proxy.listen}/postgres`);
    await client.connect();
    const { daemon } = await world.status();
    process.kill(daemon.pid, "SIGKILL");
    await eventually("perchd is gone", async () => (await identify(daemon.pid)) === undefined);
    expect((await client.query("SELECT 1")).rowCount).toBe(1);
    // Its sockets are there until the last of its threads is gone.
    await eventually("who comes now hears that Perch is not running", async () => {
      expect(await textAt(proxy.listen)).toBe("");
      return proxy.stderr().includes("Perch is not running");
    });
    await world.ok("up");
    expect(await ask(proxy.listen, "SELECT 2")).toEqual([2]);
    expect((await client.query("SELECT 3")).rowCount).toBe(1);
    await client.end();
  });

  it("refuses at once what it cannot lead to, with a code", async () => {
    expect(await world.error("proxy", "0", "-a", "nobody")).toMatchObject({ code: "target_unknown", exit: 1 });
    expect(await world.error("proxy", "0", "example.com")).toMatchObject({ code: "target_refused" });
    expect(await world.error("proxy", "0:[::1]:22")).toMatchObject({ code: "target_refused" });
    expect(await world.error("proxy", "0", "-a", "pg", "--region", "nowhere")).toMatchObject({
      code: "region_invalid",
    });
    expect(await world.error("proxy", "0")).toMatchObject({ code: "usage_invalid", exit: 2 });
    expect(await world.error("proxy", "0", "-a", "pg", "-b", "192.0.2.254")).toMatchObject({ code: "proxy_listen" });
  });
});

async function textAt(listen: string): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: Number(listen.split(":").at(-1)) });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("close", resolve));
  return Buffer.concat(chunks).toString();
}
