import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findHome, isRoot } from "../../src/host/system/home.ts";
import { findUser, serverUserName } from "../../src/host/system/users.ts";
import { freePort } from "../../src/host/sockets/ports.ts";
import { ordinaryUser } from "../support/account.ts";
import { walk } from "../support/closed-home.ts";
import { perchIn, succeeded } from "../support/perch.ts";
import { temporaryDirectory, tempHome } from "../support/temporary.ts";
import { missingTools } from "../support/tools.ts";
import { killHard, known, processesOf } from "../support/traces.ts";
import { eventually } from "../support/world.ts";

const users = isRoot() ? ["root", "an ordinary user"] : ["an ordinary user"];

describe.skipIf(missingTools("ip", "nft", "unshare", "nsenter", "psql", "pgbouncer")).each(users)(
  "the files of %s",
  (who) => {
    const account = who === "root" ? undefined : ordinaryUser();
    const root = tempHome(account);
    const always = account === undefined ? {} : { as: account, cwd: "/" };
    const perch = perchIn(root, always);
    const ok = async (...args: string[]) => succeeded(await perch(args));
    const home = () => {
      const found = findHome({ PERCH_HOME: root });
      return account === undefined ? found : { ...found, runtime: `/tmp/perch-${account.uid}/${found.id}` };
    };
    const perchd = async () =>
      known((JSON.parse(readFileSync(join(root, "perchd.json"), "utf8")) as { pid: number }).pid);
    const own = account?.uid ?? 0;

    beforeAll(async () => {
      await ok("up");
      await ok("postgres", "create", "--name", "pg", "--region", "ams", "--initial-cluster-size", "2");
      await ok("apps", "create", "web");
      await ok("postgres", "attach", "pg", "--app", "web");
      await ok("postgres", "pool", "on", "-a", "pg");
      await ok(
        "postgres",
        "expose",
        "-a",
        "pg",
        "--hostname",
        "db.example.com",
        "--listen",
        `127.0.0.1:${await freePort()}`,
      );
      const remote = `127.0.0.1:${await freePort()}`;
      await ok("remote", "on", "--listen", remote);
      const { token } = JSON.parse(await ok("tokens", "create", "ci", "--json")) as { token: string };
      succeeded(await perch(["login", remote], { input: token }));
      if (who === "root" && !missingTools("wg", "wireguard-go"))
        await ok("wireguard", "create", "laptop", "--endpoint", "203.0.113.1");
      await ok("run", "-a", "web", "--", "psql", "-c", "CREATE TABLE t AS SELECT 1");
      await ok("secrets", "rekey");
    });

    afterAll(async () => {
      await ok("down");
    });

    it("are all where the table says, and shut to others, in a home in full use, its runtime directory and PostgreSQL's own directories", async () => {
      const owners = { own, server: who === "root" ? ((await findUser(serverUserName))?.uid ?? -1) : own };
      for (const [table, at, atLeast] of [
        ["home", root, 1_000],
        ["runtime", home().runtime, 15],
      ] as const) {
        const { seen, wrong } = walk(table, at, owners);
        expect(wrong).toEqual([]);
        expect(seen).toBeGreaterThan(atLeast);
      }
    });

    it.skipIf(who !== "root")(
      "are met by processes that are in no group but that of their user: what the user's other groups may read, they may not",
      async () => {
        const line = (status: string, name: string) =>
          new RegExp(`^${name}:[\\t ]*(.*)$`, "m").exec(status)?.[1]?.trim().split(/\s+/) ?? [];
        const met = new Set<string>();
        for (const { pid, command } of await processesOf(root)) {
          const status = existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : "";
          const [uid] = line(status, "Uid");
          if (status === "" || uid === "0") continue; // it may read all there is anyhow
          met.add(/pgbouncer|ingress\/main|postgres/.exec(command)?.[0] ?? command);
          const [gid] = line(status, "Gid");
          expect([command, line(status, "Groups").filter((group) => group !== gid && group !== "")]).toEqual([
            command,
            [],
          ]);
        }
        expect([...met].toSorted()).toEqual(["ingress/main", "pgbouncer", "postgres"]);
      },
    );

    it("keep perchd from starting when others can read or change one, or it is somebody else's, until the command is typed that it names", async () => {
      await killHard([await perchd()]);
      const stranger = own + 54_321;
      const spoilt: [file: string, spoil: (path: string) => void, why: string][] = [
        ["perch.db", (path) => chmodSync(path, 0o644), "others may read it (mode 644)"],
        ["perchd.log", (path) => chmodSync(path, 0o622), "others may write to it (mode 622)"],
        ["ca/ca.crt", (path) => chmodSync(path, 0o666), "others may write to it (mode 666)"],
        [
          `logins/${readdirSync(join(root, "logins"))[0]}`,
          (path) => chmodSync(path, 0o604),
          "others may read it (mode 604)",
        ],
        ["ca", (path) => chmodSync(path, 0o777), "others may write to it (mode 777)"],
        ["postgres", (path) => chmodSync(path, 0o733), "others may write to it (mode 733)"],
        // Only root gives files away; an ordinary user's are given away by the test.
        ["secret.key", (path) => chownSync(path, stranger, stranger), `it belongs to another user (uid ${stranger})`],
      ];
      for (const [file, spoil, why] of isRoot() ? spoilt : spoilt.slice(0, -1)) {
        const path = join(root, file);
        spoil(path);
        const { code, stderr } = await perch(["up"]);
        expect({ code, stderr }).toEqual({
          code: 1,
          stderr: expect.stringContaining(`${path} is not safe: ${why} [home_unsafe]`) as string,
        });
        const [, mend = ""] = /where you trust it: (.*)/.exec(stderr) ?? [];
        execFileSync("sh", ["-c", mend]);
      }
      await ok("up");
      expect(await ok("run", "-a", "web", "--", "psql", "-Atc", "SELECT * FROM t")).toBe("1\n");
    });

    it("are shut again where others could only list a directory, and are not asked for where they are none of Perch's", async () => {
      await killHard([await perchd()]);
      chmodSync(join(root, "ca"), 0o755);
      writeFileSync(join(root, "notes.txt"), "none of Perch's", { mode: 0o644 });
      await ok("up");
      expect((statSync(join(root, "ca")).mode & 0o777).toString(8)).toBe("700");
      rmSync(join(root, "notes.txt"));
    });

    it("are not looked for behind a home that is a symbolic link: the error names the directory that it leads to", async () => {
      const directory = temporaryDirectory();
      chmodSync(directory, 0o755);
      const [link, above] = [join(directory, "link"), join(directory, "above")];
      symlinkSync(root, link);
      symlinkSync(dirname(root), above);
      const by = (path: string) => perchIn(path, always)(["up"]);
      const { code, stderr } = await by(link);
      expect(code).toBe(1);
      expect(stderr).toContain(`it is a symbolic link to ${root} [home_unsafe]`);
      expect(stderr).toContain(`PERCH_HOME=${root} perch up`);
      // A link above it leads to the same network.
      expect(succeeded(await by(join(above, basename(root))))).toContain("Perch is already running");
    });

    it.skipIf(!isRoot())("are refused where somebody else laid a link in place of one", async () => {
      await killHard([await perchd()]);
      const [path, kept] = [join(root, "ca/ca.crt"), join(root, "kept.crt")];
      execFileSync("mv", [path, kept]);
      symlinkSync(kept, path);
      execFileSync("chown", ["-h", "54321", path]);
      const { code, stderr } = await perch(["up"]);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining("it is a symbolic link that somebody else laid [home_unsafe]") as string,
      });
      execFileSync("mv", [kept, path]);
      await ok("up");
    });
  },
);

describe.skipIf(!isRoot() || missingTools("ip", "nft", "unshare", "nsenter", "psql"))(
  "a superuser of SQL, who runs programs as PostgreSQL's user",
  () => {
    const root = tempHome();
    const perch = perchIn(root);
    const ok = async (...args: string[]) => succeeded(await perch(args));
    const target = join(temporaryDirectory(), "of-root");
    const rootsOwn = () => {
      const { uid, mode } = statSync(target);
      return { text: readFileSync(target, "utf8"), uid, mode: (mode & 0o777).toString(8) };
    };
    let member = "";
    /** A shell as PostgreSQL's user, in the member's directory, by way of SQL. */
    const asPostgres = async (script: string) =>
      ok(
        "run",
        "-a",
        "web",
        "--",
        "psql",
        "-c",
        `COPY (SELECT 1) TO PROGRAM $p$cd ${join(findHome({ PERCH_HOME: root }).runtime, "postgres", basename(member))} && ${script}$p$`,
      );

    beforeAll(async () => {
      writeFileSync(target, "root's own", { mode: 0o600 });
      await ok("up");
      await ok("postgres", "create", "--name", "pg", "--region", "ams");
      await ok("apps", "create", "web");
      await ok("postgres", "attach", "pg", "--app", "web", "--superuser");
      member = readdirSync(join(root, "postgres")).find((name) => /^[0-9a-f]{14}$/.test(name)) ?? "";
    });

    it("has perchd write nowhere else by a link where it writes its files, and read nothing for it", async () => {
      const { pid } = JSON.parse(readFileSync(join(root, "perchd.json"), "utf8")) as { pid: number };
      const before = rootsOwn();
      const links = ["data/perch.conf", "data/pg_hba.conf", "tls/server.key", "tls/server.crt"].map(
        (file) => `ln -s ${target} ${file}.new-${pid}`,
      );
      await asPostgres(
        [
          ...links,
          `ln -sf ${target} log/start.log`,
          `ln -s ${target} log/z.json`,
          `rm data/PG_VERSION && ln -s ${target} data/PG_VERSION`,
        ].join(" && "),
      );
      const refused = await perch(["postgres", "config", "update", "-a", "pg", "work_mem=9MB"]);
      expect(refused.code).not.toBe(0);
      expect(refused.stdout + refused.stderr).not.toContain("root's own");
      await asPostgres("rm data/PG_VERSION && echo 15 > data/PG_VERSION");
      await ok("postgres", "config", "update", "-a", "pg", "work_mem=10MB");
      await ok("postgres", "restart", "-a", "pg");
      expect(rootsOwn()).toEqual(before);
      expect(await ok("logs", "-a", "pg", "-n", "1000")).not.toContain("root's own");
      expect(await asPostgres(`cat data/perch.conf tls/server.key > /dev/null`)).toBe("COPY 1\n");
    });

    it("keeps perchd by nothing in place of perch.conf, pg_hba.conf or postmaster.pid while it runs: each is said, and is a file again", async () => {
      const [data, key] = [join(root, "postgres", member, "data"), readFileSync(join(root, "secret.key"), "utf8")];
      const turns: Record<string, [kind: string, way: string]>[] = [
        { "perch.conf": ["pipe", "mkfifo"], "pg_hba.conf": ["symbolic link", "ln -s /dev/zero"] },
        { "perch.conf": ["symbolic link", `ln -s ${join(root, "secret.key")}`], "pg_hba.conf": ["pipe", "mkfifo"] },
        { "postmaster.pid": ["symbolic link", `ln -s ${join(root, "secret.key")}`] },
      ];
      for (const laid of turns) {
        const files = Object.entries(laid);
        await asPostgres(
          `cd data && ${files.map(([file, [, way]]) => `${way} ${file}.x && mv -T ${file}.x ${file}`).join(" && ")}`,
        );
        await ok("status"); // perchd answers, however it is with the cluster
        const isFile = (file: string) => lstatSync(join(data, file), { throwIfNoEntry: false })?.isFile() === true;
        await eventually("PostgreSQL has its files again", () => files.every(([file]) => isFile(file)), 40_000);
        const events = await ok("events", "-n", "50");
        for (const [file, [kind]] of files)
          expect(events).toContain(`${join(data, file)} is not read: it is a ${kind}`);
        expect(events).not.toContain(key.trim());
      }
      await eventually(
        "the app is served",
        async () => (await perch(["run", "-a", "web", "--", "psql", "-c", "SELECT 1"])).code === 0,
        40_000,
      );
      expect(readFileSync(join(root, "secret.key"), "utf8")).toBe(key);
    });

    it("cannot put anything in place of a directory that perchd looks into", async () => {
      for (const script of ["mv log log.mine", "ln -s /etc etc", "rm pass", "touch x"]) {
        const ended = await perch([
          "run",
          "-a",
          "web",
          "--",
          "psql",
          "-c",
          `COPY (SELECT 1) TO PROGRAM $p$cd ${join(findHome({ PERCH_HOME: root }).runtime, "postgres", member)} && ${script} 2>&1$p$`,
        ]);
        expect([script, ended.code]).toEqual([script, 1]);
      }
      expect(existsSync(join(root, "postgres", member, "x"))).toBe(false);
    });
  },
);
