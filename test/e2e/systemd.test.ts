import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cluster, Member, Status } from "../../src/api/schemas.ts";
import { asking, askingApp } from "../support/asking.ts";
import { type Ended, runToEnd, succeeded } from "../support/perch.ts";
import { boot, type Booted, canBoot } from "../support/systemd.ts";
import { temporaryDirectory } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { installAs } from "../support/versions.ts";
import { eventually, timed } from "../support/world.ts";

/**
 * Perch kept by a real systemd, from its installation over upgrades, deaths and a power cut to its removal, on a
 * machine of its own. One story: each test goes on where the one before it ended.
 */
describe.skipIf(
  missingTools(
    "ip",
    "nft",
    "unshare",
    "nsenter",
    "psql",
    "pgbouncer",
    "pasta",
    "wg",
    "wireguard-go",
    "systemctl",
    "systemd-analyze",
  ) || !canBoot(),
)("perch.service", () => {
  const disk = temporaryDirectory();
  const home = temporaryDirectory();
  const installed = installAs("1.0.0");
  let machine: Booted;
  const { add, more, failures, end } = asking();

  const inHome = (...argv: string[]) => ["env", `PERCH_HOME=${home}`, ...argv];
  const perch = (...words: string[]) => machine.run(inHome(process.execPath, installed.main, ...words));
  const ok = async (...words: string[]) => succeeded(await perch(...words));
  const systemctl = async (...words: string[]) => succeeded(await machine.run(["systemctl", ...words]));
  const show = async (property: string) =>
    (await systemctl("show", "perch.service", "--value", "--property", property)).trim();
  const status = async () => JSON.parse(await ok("status", "--json")) as Status;
  const cluster = async () => (await status()).clusters[0] as Cluster;
  const leader = async () => (await cluster()).members.find(({ role }) => role === "leader") as Member;
  const begin = (...words: string[]) => machine.begin(inHome(process.execPath, installed.main, ...words));
  const servers = async () => (await cluster()).members.map(({ id, pid }) => `${id} ${pid}`);

  beforeAll(async () => {
    machine = await boot(disk);
  });
  afterAll(async () => {
    await end();
    await machine.end();
  });

  it("is installed by one command, which starts Perch, and is a unit that systemd has nothing to say against", async () => {
    const { value } = await timed("perch systemd install", perch("systemd", "install"));
    expect(succeeded(value)).toContain("perch.service is written; perch.service starts at boot and is active");
    expect((await status()).daemon.version).toBe("1.0.0");
    expect(await show("MainPID")).toBe(String((await status()).daemon.pid));
    const verified = await machine.run(["systemd-analyze", "verify", "/etc/systemd/system/perch.service"]);
    expect(verified).toMatchObject({ code: 0, stderr: "" });
  });

  it("is left as it is by a second installation, which says so", async () => {
    const pid = await show("MainPID");
    expect(await ok("systemd", "install")).toBe("perch.service is as it should be, and active\n");
    expect(await show("MainPID")).toBe(pid);
  });

  it("shuts perchd and all it starts out of what they do without, and all that Perch does works", async () => {
    await ok("postgres", "create", "--name", "pg", "--region", "ams");
    await ok("machine", "clone", (await leader()).id, "--region", "lhr");
    await ok("postgres", "pool", "on", "-a", "pg");
    await ok("postgres", "expose", "-a", "pg", "--hostname", "db.example.com", "--listen", "127.0.0.1:7432");
    await ok("apps", "create", "web");
    await ok("postgres", "attach", "pg", "--app", "web");
    const pooled = [
      "--pooled",
      "--variable-name",
      "POOLED_URL",
      "--database-user",
      "pooled",
      "--database-name",
      "pooled",
    ];
    await ok("postgres", "attach", "pg", "--app", "web", ...pooled);
    await ok("wireguard", "create", "laptop", join(home, "laptop.conf"), "--endpoint", "192.0.2.1:51820");
    await ok("host-access", "on");
    await ok("secrets", "set", "-a", "web", "TOKEN=a-secret-value");
    const ran = await perch(
      "run",
      "-a",
      "web",
      "--",
      "sh",
      "-c",
      'psql "$DATABASE_URL" -XAtc "SELECT 1"; psql "$POOLED_URL" -XAtc "SELECT 2"',
    );
    // It says so where commands have no way out.
    expect(ran).toEqual({ code: 0, signal: null, stdout: "1\n2\n", stderr: "" });
    expect(await ok("wireguard", "list")).toContain("laptop");
    expect(await ok("postgres", "exposures")).toContain("open");
    expect((await cluster()).members.map(({ role, state }) => `${role} ${state}`)).toEqual([
      "leader started",
      "replica streaming",
    ]);

    for (const pid of [await show("MainPID"), String((await leader()).pid)]) {
      const text = succeeded(await machine.run(["cat", `/proc/${pid}/status`]));
      expect(text).toMatch(/^NoNewPrivs:\s*1$/m);
      expect(text).toMatch(/^Seccomp:\s*2$/m);
      expect(succeeded(await machine.run(["cat", `/proc/${pid}/limits`]))).toMatch(/^Max core file size\s+0\s+0/m);
    }
    const bounding = BigInt(
      `0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(succeeded(await machine.run(["cat", `/proc/${await show("MainPID")}/status`])))?.[1] ?? "0"}`,
    );
    const forbidden = {
      CAP_NET_RAW: 13n,
      CAP_SYS_MODULE: 16n,
      CAP_SYS_RAWIO: 17n,
      CAP_SYS_BOOT: 22n,
      CAP_SYS_TIME: 25n,
      CAP_MKNOD: 27n,
      CAP_BPF: 39n,
    };
    expect(Object.entries(forbidden).filter(([, bit]) => ((bounding >> bit) & 1n) === 1n)).toEqual([]);
    const exposure = succeeded(await machine.run(["systemd-analyze", "security", "--no-pager", "perch.service"]));
    process.stderr.write(`${exposure.trimEnd().split("\n").at(-1)}\n`);
    expect(Number(/Overall exposure level for perch\.service: ([\d.]+)/.exec(exposure)?.[1])).toBeLessThan(7);
  });

  it("holds no secret", async () => {
    const unit = succeeded(await machine.run(["cat", "/etc/systemd/system/perch.service"]));
    expect(unit).toContain(`PERCH_HOME=${home}`);
    for (const secret of ["a-secret-value", readFileSync(join(home, "secret.key"), "utf8").trim()])
      expect(unit).not.toContain(secret);
    expect(await ok("systemd", "print")).toBe(unit);
  });

  it("starts perchd again when that is killed, and no query fails and no name is unanswered meanwhile", async () => {
    for (const url of ["DATABASE_URL", "POOLED_URL"])
      await add(await begin("run", "-a", "web", "--", "sh", "-c", askingApp(url)));
    await more(20);
    const [before, perchd] = [await servers(), await show("MainPID")];
    succeeded(await machine.run(["sh", "-c", `kill -KILL ${perchd}`]));
    const { ms } = await eventually(
      "perchd is there again",
      async () => (await show("ActiveState")) === "active" && ![perchd, "0"].includes(await show("MainPID")),
      30_000,
    );
    process.stderr.write(`perchd again: ${Math.round(ms)} ms\n`);
    await more(50);
    expect(failures()).toEqual([]);
    expect(await servers()).toEqual(before);
  });

  it("puts an installed version in the place of the one that runs by systemctl restart, and no query fails and no name is unanswered", async () => {
    const manifest = join(installed.directory, "package.json");
    writeFileSync(manifest, readFileSync(manifest, "utf8").replace('"1.0.0"', '"1.1.0"'));
    const refused = await perch("up");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(
      "perchd 1.0.0 is kept by systemd, as perch.service [upgrade_by_systemd]\nNext: Put this version in its place with: systemctl restart perch.service",
    );
    const before = await servers();
    await timed("systemctl restart", systemctl("restart", "perch.service"));
    expect((await status()).daemon.version).toBe("1.1.0");
    await more(100);
    expect(failures()).toEqual([]);
    expect(await servers()).toEqual(before);
    expect(await show("MainPID")).toBe(String((await status()).daemon.pid));
  });

  it("lets all go on where the installed version does not start, until one does", async () => {
    const daemon = join(installed.directory, "dist/daemon/main.js");
    const [text, before] = [readFileSync(daemon, "utf8"), await servers()];
    writeFileSync(daemon, "throw new Error('not a good version');\n");
    expect(await machine.run(["systemctl", "restart", "perch.service"])).toMatchObject({ code: 1 });
    await more(50);
    writeFileSync(daemon, text);
    await eventually("systemd has started it again", async () => (await show("ActiveState")) === "active", 30_000);
    await more(50);
    expect(failures()).toEqual([]);
    expect(await servers()).toEqual(before);
  });

  it("stops PostgreSQL in order by systemctl stop, and leaves no process", async () => {
    await end();
    const { ms } = await timed("systemctl stop", systemctl("stop", "perch.service"));
    expect(ms).toBeLessThan(60_000);
    expect(await show("ActiveState")).toBe("inactive");
    expect(await show("Result")).toBe("success");
    expect(processesIn(await machine.run(allCommands))).toEqual([]);
    expect(await shutDown()).toEqual(["shut down", "shut down in recovery"]);
    expect((await perch("status")).stderr).toContain("[daemon_not_running]");
  });

  it("starts at boot, and PostgreSQL is stopped in order when the machine is powered off", async () => {
    for (const round of ["first", "second"]) {
      await timed(`power off, ${round}`, machine.powerOff());
      expect(await shutDown()).toEqual(["shut down", "shut down in recovery"]);
      machine = await boot(disk);
      await eventually("Perch is there after boot", async () => (await show("ActiveState")) === "active", 60_000);
      await eventually("the replica streams", async () =>
        (await cluster()).members.every(({ state }) => state === "started" || state === "streaming"),
      );
      expect(await ok("run", "-a", "web", "--", "sh", "-c", 'psql "$DATABASE_URL" -XAtc "SELECT 3"')).toBe("3\n");
    }
  });

  it("leaves alone what perch down has stopped", async () => {
    await ok("down");
    await eventually("the unit knows", async () => (await show("ActiveState")) === "inactive");
    expect(await show("NRestarts")).toBe("0");
    expect(await ok("systemd", "status")).toMatch(/^NETWORK.*\ndefault +perch\.service +yes +yes +inactive +-\n/i);
    await systemctl("start", "perch.service");
    await eventually("the leader answers", async () => (await leader()).state === "started");
  });

  it("keeps other networks, each by a unit of its own", async () => {
    await ok("network", "create", "blue");
    expect(await ok("systemd", "install")).toContain("perch-blue.service starts at boot and is active");
    const states = JSON.parse(await ok("systemd", "status", "--json")) as {
      network: string;
      active: string;
      installed: boolean;
      current: boolean;
    }[];
    expect(states).toMatchObject(
      ["default", "blue"].map((network) => ({ network, active: "active", installed: true, current: true })),
    );
  });

  it("refuses to write over a unit that is of another home", async () => {
    const other = await machine.run([
      "env",
      `PERCH_HOME=${temporaryDirectory()}`,
      process.execPath,
      installed.main,
      "systemd",
      "install",
      "--json",
    ]);
    expect(other).toMatchObject({ code: 1, stdout: "" });
    expect((JSON.parse(other.stderr) as { error: { code: string } }).error.code).toBe("unit_taken");
  });

  it("is gone after perch systemd uninstall, with everything it ran; the data stays", async () => {
    expect(await ok("systemd", "uninstall")).toContain("Removed perch.service, perch-blue.service; the data stays");
    expect(existsSync(join(disk, "etc/perch.service"))).toBe(false);
    expect(processesIn(await machine.run(allCommands))).toEqual([]);
    expect(await ok("systemd", "uninstall")).toBe("No unit of Perch is installed\n");
    expect(existsSync(join(home, "perch.db"))).toBe(true);
  });

  it("takes over a Perch that was started by hand", async () => {
    await ok("up");
    const { daemon } = await status();
    expect(await ok("systemd", "install", "--network", "default")).toContain(
      "perch.service starts at boot and is active",
    );
    expect(await show("MainPID")).toBe(String(daemon.pid));
    await systemctl("stop", "perch.service");
    expect((await perch("status")).stderr).toContain("[daemon_not_running]");
    await ok("down");
  });

  it("cannot be installed where process 1 is not systemd, and says what to do in its place", async () => {
    const without = await machine.run([
      "unshare",
      "--mount",
      "sh",
      "-c",
      'mount -t tmpfs tmpfs /run && exec "$@"',
      "sh",
      ...inHome(process.execPath, installed.main, "systemd", "install"),
    ]);
    expect(without).toMatchObject({ code: 1, stdout: "" });
    expect(without.stderr).toMatch(/\[systemd_missing\]\nNext: Start Perch by perch up/);
  });

  /** How each member's data directory was left, the leader's first. */
  async function shutDown(): Promise<string[]> {
    const members = readdirSync(join(home, "postgres")).filter((name) =>
      existsSync(join(home, "postgres", name, "data", "PG_VERSION")),
    );
    const states = await Promise.all(
      members.map(async (member) => {
        const bin = join(installed.directory, "node_modules");
        const said = succeeded(
          await runToEnd([
            "sh",
            "-c",
            `PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr " " :) pg_controldata "$1"`,
            bin,
            join(home, "postgres", member, "data"),
          ]),
        );
        return /^Database cluster state:\s*(.*)$/m.exec(said)?.[1] ?? said;
      }),
    );
    return states.toSorted((a, b) => a.length - b.length);
  }
});

/** Those of Perch among all processes of the machine. */
/** As `ps -e -o args=`, which a bare machine has not. */
const allCommands = ["sh", "-c", "for one in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $one; echo; done 2>/dev/null"];
const processesIn = ({ stdout }: Ended): string[] =>
  stdout.split("\n").filter((line) => /postgres|pgbouncer|perch|wireguard/.test(line));
