import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { pause } from "../../src/base/deadline.ts";
import { freePort } from "../../src/host/sockets/ports.ts";
import { type Account, canRead, ordinaryUser } from "../support/account.ts";

import { perchIn, repository, start, succeeded } from "../support/perch.ts";
import { queryAs } from "../support/query.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known } from "../support/traces.ts";
import { eventually } from "../support/world.ts";
import type { Status } from "../../src/api/schemas.ts";

const main = join(repository, "dist/cli/main.js");
const ordinary = ordinaryUser();
const accounts: [who: string, account: Account | undefined][] =
  process.getuid?.() === 0
    ? [
        ["root", undefined],
        ["an ordinary user", ordinary],
      ]
    : [["an ordinary user", undefined]];

/** An app's program that asks by a name of its own, whose address was another one a moment before. */
const rebinding = `
  const [name, port, token, headers] = process.argv.slice(1);
  const addresses = ["203.0.113.1", "127.0.0.1"];
  const lookup = (_, { all }, done) => {
    const address = addresses.shift() ?? "127.0.0.1";
    if (address !== "127.0.0.1") return lookup(_, { all }, done); // what it was when the page was loaded
    all ? done(null, [{ address, family: 4 }]) : done(null, address, 4);
  };
  require("node:https").get(
    { host: name, port, path: "/v1/apps", lookup, rejectUnauthorized: false, servername: "",
      headers: { authorization: "Bearer " + token, ...JSON.parse(headers) } },
    (response) => {
      let text = "";
      response.on("data", (data) => (text += data));
      response.on("end", () => console.log(JSON.stringify([response.statusCode, /"code":"(\\w+)"/.exec(text)?.[1] ?? null])));
    },
  );
`;

describe.skipIf(missingTools("psql")).each(accounts)("portable mode as %s", (_who, account) => {
  const home = tempHome(account);
  const perch = perchIn(home, account === undefined ? {} : { as: account, cwd: "/" });
  const ok = async (...words: string[]) => succeeded(await perch(words));
  const status = async () => JSON.parse(await ok("status", "--json")) as Status;
  const members = async () => (await status()).clusters[0]?.members ?? [];
  const query = async (sql: string) => succeeded(await queryAs(perch, "web", sql)).trim();
  const urlOf = async () => (await ok("run", "-a", "web", "--", "sh", "-c", 'echo "$DATABASE_URL"')).trim();

  beforeAll(async () => {
    if (account !== undefined && !canRead(account, repository))
      throw new Error(`${account.name} cannot read ${repository}; clone it where every user can`);
    await ok("up", "--portable");
    await ok("postgres", "create", "--name", "pg", "--region", "ams");
    await ok("apps", "create", "web", "--region", "ams");
    await ok("postgres", "attach", "pg", "--app", "web");
  });

  it("says that there is no private network", async () => {
    expect((await status()).network.mode).toBe("portable");
    const refused = await perch(["wireguard", "create", "laptop", "--endpoint", "203.0.113.1:51820"]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("a WireGuard door needs the private network");
    expect(await ok("status")).toMatch(/^Network default: .*portable/);
    const dig = await perch(["dig", "pg.internal"]);
    expect(dig).toMatchObject({ code: 1, stdout: "" });
    expect(dig.stderr).toContain("[portable_mode]\nNext: Stop it and start without --portable");
  });

  it("gives the app a URL on 127.0.0.1, which leads to the leader", async () => {
    expect(await urlOf()).toMatch(/^postgres:\/\/web:[^@]+@127\.0\.0\.1:\d+\/web$/);
    expect(
      await query(
        "CREATE TABLE t (n int); INSERT INTO t VALUES (1); SELECT current_user, n, pg_is_in_recovery() FROM t",
      ),
    ).toBe("web|1|f");
    expect(
      await ok("run", "-a", "web", "--region", "lhr", "--", "sh", "-c", 'echo "$FLY_REGION $FLY_PRIVATE_IP"'),
    ).toMatch(/^lhr fdaa:\S+\n$/);
    expect((await perch(["run", "-a", "web", "--", "sh", "-c", "exit 7"])).code).toBe(7);
  });

  it("answers no app whose name leads to perchd's listener (DNS rebinding), nor its page, with whatever token", async () => {
    const port = (await freePort()) ?? 0;
    await ok("remote", "on", "--listen", `127.0.0.1:${port}`);
    const { token } = JSON.parse(await ok("tokens", "create", "page", "--scope", "admin", "--json")) as {
      token: string;
    };
    const asked = async (name: string, headers: Record<string, string> = {}) =>
      JSON.parse(
        await ok(
          "run",
          "-a",
          "web",
          "--",
          process.execPath,
          "-e",
          rebinding,
          name,
          String(port),
          token,
          JSON.stringify(headers),
        ),
      ) as unknown;
    expect(await asked("127.0.0.1")).toEqual([200, null]);
    for (const name of ["rebound.example", "127.0.0.1.rebound.example", "localhost", "pg.internal"])
      expect([name, await asked(name)]).toEqual([name, [403, "host_refused"]]);
    expect(await asked("rebound.example", { host: "" })).toEqual([403, "host_refused"]);
    expect(await asked("rebound.example", { connection: "upgrade", upgrade: "perch-proxy" })).toEqual([
      403,
      "host_refused",
    ]);
    expect(await asked("127.0.0.1", { origin: `https://127.0.0.1:${port}` })).toEqual([403, "origin_refused"]);
    await ok("remote", "off");
  });

  it("leads perch proxy to the leader and to a member, and nowhere else, and publishes nothing: its commands are on the host already", async () => {
    const proxy = await start([process.execPath, main, "proxy", "0", "-a", "pg", "--json"], {
      env: { PERCH_HOME: home },
      ...(account === undefined ? {} : { as: account, cwd: "/" }),
    });
    const { answer } = await eventually(
      "the proxy listens",
      () => /"listen":"127\.0\.0\.1:(\d+)"/.exec(proxy.stdout())?.[1],
    );
    const url = new URL(await urlOf());
    url.port = answer;
    expect(await ok("run", "--", "psql", url.href, "-XAtc", "SELECT pg_is_in_recovery()")).toBe("f\n");
    proxy.kill("SIGINT");
    expect((await proxy.ended).code).toBe(0);
    expect((await perch(["proxy", "0:22", "-a", "pg"])).stderr).toContain("[portable_mode]");
    expect((await perch(["proxy", "0", "web.internal"])).stderr).toContain("[portable_mode]");
    expect((await perch(["run", "--publish", "3000", "--", "true"])).stderr).toContain("[portable_mode]");
  });

  it("makes a replica that streams, on a port of its own", async () => {
    const [leader] = await members();
    await ok("machine", "clone", leader?.id ?? "", "--region", "lhr", "-a", "pg");
    const [, replica] = await members();
    expect(replica).toMatchObject({ role: "replica", region: "lhr", state: "streaming" });
    expect(new Set((await members()).map(({ port }) => port)).size).toBe(2);
    await query("INSERT INTO t VALUES (2)");
    const url = new URL(await urlOf());
    url.port = String(replica?.port);
    const onReplica = (sql: string) => perch(["run", "--", "psql", url.href, "-XAtc", sql], { cwd: "/" });
    await eventually(
      "the row is on the replica",
      async () => (await onReplica("SELECT count(*) FROM t")).stdout === "2\n",
    );
    expect((await onReplica("INSERT INTO t VALUES (3)")).stderr).toContain("read-only transaction");
  });

  it("changes its leader behind the same port: who connects meanwhile waits", async () => {
    const before = (await members()).find(({ role }) => role === "leader")?.id;
    const url = await urlOf();
    await ok("machine", "clone", before ?? "", "--region", "ams");
    const queries = Array.from({ length: 12 }, async (_, index) => {
      await pause(index * 40);
      // Who was let in a moment before the old leader stopped is told so; nobody is refused.
      return query("SELECT pg_is_in_recovery()").catch((error: unknown) =>
        /terminat|shutting down|closed the connection|EOF detected/.test(String(error)) ? "ended" : String(error),
      );
    });
    await ok("postgres", "failover", "-a", "pg");
    const answers = await Promise.all(queries);
    expect(answers.filter((answer) => answer !== "f" && answer !== "ended")).toEqual([]);
    expect(answers.filter((answer) => answer === "f").length).toBeGreaterThan(8);
    expect((await members()).find(({ role }) => role === "leader")?.id).not.toBe(before);
    expect(await urlOf()).toBe(url);
    await eventually("the old leader streams", async () =>
      (await members()).every(({ role, state }) => role === "leader" || state === "streaming"),
    );
    await ok("machine", "destroy", before ?? "", "--yes");
    await ok(
      "postgres",
      "failover",
      "-a",
      "pg",
      "--allow-secondary-region",
      "--to",
      (await members()).find(({ role }) => role === "replica")?.id ?? "",
    );
    await eventually("all stream again", async () =>
      (await members()).every(({ role, state }) => role === "leader" || state === "streaming"),
    );
  });

  it("lives on when perchd is killed: the servers at once, the relay when up adopts them, all with the ports they had", async () => {
    const [before, url] = [await status(), await urlOf()];
    await killHard([await known(before.daemon.pid)]);
    const lost = await perch(["apps", "list"]);
    expect(lost.stderr).toContain("[daemon_not_running]");
    await ok("up");
    const after = await status();
    const facts = (from: Status) => from.clusters[0]?.members.map(({ id, pid, port }) => ({ id, pid, port }));
    expect(facts(after)).toEqual(facts(before));
    expect(after.daemon.pid).not.toBe(before.daemon.pid);
    expect(await urlOf()).toBe(url);
    expect(await query("SELECT count(*) FROM t")).toBe("2");
  });

  it("comes back after down, and ends every server then", async () => {
    const pids = await Promise.all((await members()).map(({ pid }) => known(pid)));
    expect(await ok("down")).toContain("Perch is down; the data stays in");
    for (const one of pids) await expect(known(one.pid)).rejects.toThrow("is not running");
    await ok("up");
    expect((await status()).network.mode).toBe("portable");
    expect(await query("SELECT count(*) FROM t")).toBe("2");
    await ok("postgres", "detach", "pg", "--app", "web", "--drop-database", "--yes");
    await ok("postgres", "destroy", "pg", "--yes");
    expect((await status()).clusters).toEqual([]);
    await ok("down");
  });
});
