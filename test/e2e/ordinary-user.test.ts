import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Account, canRead, ordinaryUser } from "../support/account.ts";
import { perchIn, repository, succeeded } from "../support/perch.ts";
import { openRemote } from "../support/remote.ts";
import { tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql"))("an ordinary user", () => {
  const user: Account = ordinaryUser();
  const home = tempHome(user);
  // As Debian has it for whoever is not root: nft lies in /usr/sbin.
  const path = (process.env["PATH"] ?? "").split(delimiter).filter((directory) => !directory.endsWith("/sbin"));
  const perch = perchIn(home, { as: user, cwd: "/", env: { PATH: path.join(delimiter) } });
  const psql = (sql: string, ...where: string[]) =>
    perch(["run", "-a", "web", ...where, "--", "sh", "-c", `psql "$DATABASE_URL" -XAtc "${sql}"`]);

  beforeAll(async () => {
    if (!canRead(user, repository))
      throw new Error(`${user.name} cannot read ${repository}; clone it where every user can`);
    succeeded(await perch(["up"]));
    succeeded(await perch(["postgres", "create", "--name", "pg", "--region", "ams", "--initial-cluster-size", "2"]));
    succeeded(await perch(["apps", "create", "web"]));
    succeeded(await perch(["postgres", "attach", "pg", "--app", "web"]));
  });

  afterAll(async () => {
    succeeded(await perch(["down"]));
  });

  it("has a private network of its own, without any right of root, and without sbin in its PATH", async () => {
    const status = JSON.parse(succeeded(await perch(["status", "--json"]))) as {
      network: { mode: string };
      clusters: { members: { role: string }[] }[];
    };
    expect(status.network.mode).toBe("user");
    expect(status.clusters[0]?.members.map(({ role }) => role).toSorted((a, b) => a.localeCompare(b))).toEqual([
      "leader",
      "replica",
    ]);
  });

  it("runs commands as itself, and they reach the leader by its name", async () => {
    expect(succeeded(await perch(["run", "-a", "web", "--", "id", "-u"]))).toBe(`${user.uid}\n`);
    expect(succeeded(await psql("SELECT current_user, pg_is_in_recovery()"))).toBe("web|f\n");
  });

  it("is told by perch doctor what the system cannot wall off for one user", async () => {
    expect(succeeded(await perch(["doctor", "-a", "web"]))).toMatch(
      /apps run as the user of PostgreSQL and perchd, and the system cannot wall them off/,
    );
  });

  it("is told by the command's own exit code how it ended", async () => {
    expect((await perch(["run", "-a", "web", "--", "sh", "-c", "exit 7"])).code).toBe(7);
    expect((await perch(["run", "-a", "web", "--", "sh", "-c", "kill -TERM $$"])).code).toBe(143);
    expect((await perch(["run", "-a", "web", "--", "no-such-command"])).code).toBe(127);
  });

  it.skipIf(missingTools("pgbouncer"))("has a pooler that runs as itself, and is let in by it", async () => {
    succeeded(await perch(["postgres", "pool", "on", "-a", "pg"]));
    const sql = "SELECT current_user, inet_server_port()";
    expect(succeeded(await perch(["run", "-a", "web", "--", "psql", "-p", "6432", "-XAtc", sql]))).toBe("web|5433\n");
    expect(
      (await perch(["run", "-a", "web", "--", "env", "PGPASSWORD=wrong", "psql", "-p", "6433", "-c", sql])).code,
    ).not.toBe(0);
    succeeded(await perch(["postgres", "pool", "off", "-a", "pg"]));
  });

  it("gives no token what would run a program as that user, whose PostgreSQL is perchd's own user", async () => {
    const ok = async (...args: string[]) => succeeded(await perch(args));
    const remote = await openRemote({
      ok,
      json: async <T>(...args: string[]) => JSON.parse(await ok(...args, "--json")) as T,
    });
    const token = await remote.token("boss", "--scope", "admin");
    const refusal = async (method: string, route: string, body: object) => {
      const { status, frames } = await remote.ask({ method, path: `/v1/clusters${route}`, token, body });
      return [status, frames.at(-1)?.error?.code];
    };
    const ran = join(home, "ran");
    for (const set of [
      { archive_command: `touch ${ran}` },
      { Shared_Preload_Libraries: "/tmp/x.so" },
      { "plperlu.on_init": "1" },
    ])
      expect(await refusal("PATCH", "/pg/settings", { set }), JSON.stringify(set)).toEqual([400, "machine_only"]);
    expect(await refusal("POST", "/pg/users", { name: "boss", superuser: true })).toEqual([400, "machine_only"]);
    expect(await refusal("POST", "/pg/attachments", { app: "web", variable: "X", user: "x", superuser: true })).toEqual(
      [400, "machine_only"],
    );
    expect(await refusal("POST", "", { name: "evil", region: "ams", binaries: home })).toEqual([400, "machine_only"]);
    // The user himself may; and the token may what runs nothing.
    expect((await refusal("PATCH", "/pg/settings", { set: { work_mem: "9MB" } }))[0]).toBe(200);
    const settings = await ok("postgres", "config", "show", "-a", "pg");
    expect([settings.includes("work_mem"), /archive_command|preload|plperl/i.test(settings)]).toEqual([true, false]);
    expect(JSON.parse(await ok("postgres", "users", "list", "-a", "pg", "--json"))).not.toContainEqual(
      expect.objectContaining({ name: "boss" }),
    );
    expect(existsSync(ran)).toBe(false);
    await ok("remote", "off");
  });

  it("is told that a WireGuard door needs root, and no file is left behind", async () => {
    const config = join(home, "laptop.conf");
    const { code, stderr } = await perch(["wireguard", "create", "laptop", config, "--endpoint", "203.0.113.1:51820"]);
    expect(code).toBe(1);
    expect(stderr).toContain("[wireguard_needs_root]");
    expect(existsSync(config)).toBe(false);
    expect(succeeded(await perch(["wireguard", "list"]))).toContain("No peers yet");
  });
});
